// Carries out commands about an app's own data: read the one stream the decision rests on, decide, append to the app's
// partition with the version that was read. The stream's own history says whether a command was carried out before, so a
// retry is answered as the first time for as long as the log exists, by any process.
import { Problem } from '../errors.ts'
import { decode, type FoldEvent } from '../events/catalogue.ts'
import { type EventLog, VersionConflict } from '../events/eventLog.ts'
import type { Clock } from '../kernel/clock.ts'
import { within } from '../kernel/deadline.ts'
import { uuidv5, uuidv7 } from '../kernel/ids.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'
import type { AppCommand, AppCommandBus } from './appCommand.ts'
import type { CommandContext, Executed } from './commandBus.ts'
import { parseCommandMeta } from '../events/commandMeta.ts'
import { appendDirectly } from './directAppend.ts'
import { answerOf, contextOf, isUnavailable, newEvents } from './execution.ts'
import type { CommandState } from './keyring.ts'

export interface AppBusOptions {
  readonly log: Pick<EventLog, 'append' | 'readStream' | 'find' | 'readAt' | 'partitionOf' | 'classify'>
  readonly clock: Clock
  readonly logger: Logger
}

export function createAppBus(options: AppBusOptions): AppCommandBus {
  return {
    async execute(command, appId, input, by) {
      const context = contextOf(command.schema, input, by, options.clock.now())
      try {
        return await within(LIMITS.appCommandMs, carryOut(options, command, appId, input, context), 'the log')
      } catch (error) {
        if (!isUnavailable(options.log, error)) throw error
        throw new Problem('unavailable', undefined, { retryAfterSeconds: 1, cause: error })
      }
    },
  }
}

async function carryOut<Input, State, Result>(
  { log, logger }: AppBusOptions,
  command: AppCommand<Input, State, Result>,
  appId: string,
  input: Input,
  context: CommandContext,
): Promise<Executed<Result>> {
  const partition = log.partitionOf(appId)
  const stream = command.stream(appId, input)
  const execution = uuidv7(context.now)
  for (let attempt = 1; attempt <= LIMITS.commandAttempts; attempt++) {
    const history = (await log.readStream(partition, stream)).map(decode)
    const known = answerOf<Result>(commandIn(history, context.commandId), command.name, context, execution)
    if (known !== undefined) return known
    const decision = command.decide(await command.state(log, appId, input, history), appId, input, context)
    if (decision.events.length === 0) return { ...decision.result, eventIds: [] }
    const events = newEvents(command, decision, context, execution)
    for (const event of events) if (event.stream !== stream) throw new Error(`${command.name} decided for the stream ${event.stream}`)
    const pack = { deliveryId: uuidv5(context.commandId, 'delivery'), partition, receivedAt: context.now, events, rejected: [] }
    try {
      const places = await appendDirectly(log, { partition, packs: [pack], expected: [{ stream, version: versionOf(history) }] })
      // Another execution of this command was faster: its answer is the one that counts.
      if (places[0]!.some(({ duplicate }) => duplicate)) continue
      return { ...decision.result, eventIds: events.map(({ eventId }) => eventId) }
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error
      logger.debug('a command met another one', { command: command.name, attempt, stream })
    }
  }
  throw new Problem('conflict')
}

function versionOf(history: readonly FoldEvent[]): number {
  return history.at(-1)?.streamVersion ?? 0
}

function commandIn(history: readonly FoldEvent[], commandId: string): CommandState | undefined {
  let known: CommandState | undefined
  for (const { eventId, meta } of history) {
    const said = parseCommandMeta(meta)
    if (said?.commandId !== commandId) continue
    const { command, execution, actor } = said
    known = { command, execution, actor, result: known?.result ?? said.result, eventIds: [...(known?.eventIds ?? []), eventId] }
  }
  return known
}
