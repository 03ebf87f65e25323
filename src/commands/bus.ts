// Carries out control commands: fold to the present, decide, append with the versions the decision rests on. Answers only
// after the commit, and after this process has folded it, so that who was answered sees what was done. A retried command
// is recognised by its id and answered as the first time.
import { Problem } from '../errors.ts'
import { type Append, type EventLog, type NewEvent, VersionConflict } from '../events/eventLog.ts'
import type { Clock } from '../kernel/clock.ts'
import { uuidv5, uuidv7 } from '../kernel/ids.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'
import type { AppendQueue } from './appendQueue.ts'
import type { Command, CommandBus, CommandContext, Decision, Executed } from './commandBus.ts'
import type { Epoch } from './epoch.ts'
import { answerOf, contextOf, isUnavailable, newEvents } from './execution.ts'
import type { ControlState, Keyring } from './keyring.ts'

export interface CommandBusOptions {
  log: Pick<EventLog, 'classify'>
  queue: Pick<AppendQueue, 'appendControl'>
  keyring: Pick<Keyring, 'refresh' | 'state'>
  clock: Clock
  logger: Logger
  /** Told of commands that take something away; none where one process is all there is. */
  epoch?: Epoch
}

export function createCommandBus(options: CommandBusOptions): CommandBus {
  return {
    async execute(command, input, by) {
      const context = contextOf(command.schema, input, by, options.clock.now())
      try {
        const answer = await carryOut(options, command, input, context)
        if (command.withdraws === true) await announce(options, command.name)
        return answer
      } catch (error) {
        if (!isUnavailable(options.log, error)) throw error
        throw new Problem('unavailable', undefined, { retryAfterSeconds: 1, cause: error })
      }
    },
  }
}

async function carryOut<Input, Result>(
  { queue, keyring, logger }: CommandBusOptions,
  command: Command<Input, Result>,
  input: Input,
  context: CommandContext,
): Promise<Executed<Result>> {
  const execution = uuidv7(context.now)
  for (let attempt = 1; attempt <= LIMITS.commandAttempts; attempt++) {
    await keyring.refresh()
    const known = answerOf<Result>(keyring.state.command(context.commandId), command.name, context, execution)
    if (known !== undefined) return known
    const decision = command.decide(keyring.state, input, context)
    if (decision.events.length === 0) return { ...decision.result, eventIds: [] }
    const events = newEvents(command, decision, context, execution)
    try {
      await queue.appendControl(toAppend(keyring.state, decision, events, context))
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error
      logger.debug('a command met another one', { command: command.name, attempt, stream: error.stream })
      continue
    }
    await keyring.refresh()
    // Where the log already held the events, the first answer is the one that counts; it is out of memory at worst.
    const answer = answerOf<Result>(keyring.state.command(context.commandId), command.name, context, execution)
    return answer ?? { ...decision.result, eventIds: events.map((event) => event.eventId), repeated: true }
  }
  throw new Problem('conflict')
}

function toAppend<Result>(
  state: ControlState,
  decision: Decision<Result>,
  events: readonly NewEvent[],
  { commandId, now }: CommandContext,
): Append {
  const streams = new Set([...decision.events.map((event) => event.stream), ...(decision.guards ?? [])])
  return {
    partition: 0,
    packs: [{ deliveryId: uuidv5(commandId, 'delivery'), partition: 0, receivedAt: now, events, rejected: [] }],
    expected: Array.from(streams, (stream) => ({ stream, version: state.version(stream) })),
  }
}

async function announce({ epoch, keyring, logger }: CommandBusOptions, command: string): Promise<void> {
  if (epoch === undefined) return
  try {
    await epoch.announce(keyring.state.withdrawnAt)
  } catch (error) {
    // It is in the log: this process and every other that reads the log announces it as soon as it reaches Redis.
    logger.warn('a withdrawal could not be announced at once', { command, error })
  }
}
