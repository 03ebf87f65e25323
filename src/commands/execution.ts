// What every command goes through, wherever its events stand: its input is checked, its events get ids that derive from the
// command's, and a retry is recognised by what the first time left in the log and answered alike.
import { Problem } from '../errors.ts'
import type { EventLog, NewEvent } from '../events/eventLog.ts'
import type { JsonSchema } from '../events/eventType.ts'
import { DeadlineExceeded } from '../kernel/deadline.ts'
import { isUuid, uuidv5, uuidv7 } from '../kernel/ids.ts'
import { compile } from '../kernel/validation.ts'
import type { CommandContext, Decided, Decision, Executed } from './commandBus.ts'
import { formatCommandMeta } from '../events/commandMeta.ts'
import type { CommandState } from './keyring.ts'

/** Throws `invalid_body`, and `invalid_parameter` for the id of a command. */
export function contextOf<By extends { actor: string | undefined; commandId?: string }>(
  schema: JsonSchema,
  input: unknown,
  by: By,
  now: number,
): By & CommandContext {
  const errors = compile(schema)(input)
  if (errors.length > 0) throw new Problem('invalid_body', undefined, { errors })
  const commandId = by.commandId ?? uuidv7(now)
  if (!isUuid(commandId)) throw new Problem('invalid_parameter', 'The id of a command must be a UUID in lower case')
  return { ...by, commandId, now }
}

/** Whether an error says that a store is away, and not that the command is wrong. */
export function isUnavailable(log: Pick<EventLog, 'classify'>, error: unknown): boolean {
  if (error instanceof Problem) return false
  return error instanceof DeadlineExceeded || log.classify(error) === 'transient'
}

/** The answer to a command that was carried out before, or by this execution. Throws `conflict` where its id was another command's. */
export function answerOf<Result>(
  known: CommandState | undefined,
  name: string,
  context: CommandContext,
  execution: string,
): Executed<Result> | undefined {
  if (known === undefined) return undefined
  if (known.command !== name || known.actor !== context.actor) {
    throw new Problem('conflict', 'The id of this command was used for another one')
  }
  const answer = { ...(known.result as Result), eventIds: known.eventIds }
  return known.execution === execution ? answer : { ...answer, repeated: true }
}

export function newEvents<Result>(
  { name, withdraws }: { readonly name: string; readonly withdraws?: true },
  decision: Decision<Result>,
  context: CommandContext,
  execution: string,
): NewEvent[] {
  const { commandId, actor, now } = context
  const of = { commandId, command: name, execution, actor, ...(withdraws === undefined ? {} : { withdraws }) }
  return decision.events.map((decided, index) => {
    assertSchema(decided)
    const result = index === 0 ? (decision.result as Record<string, unknown>) : undefined
    return {
      eventId: uuidv5(commandId, String(index)),
      appId: decided.appId,
      type: decided.type.type,
      schemaVersion: decided.type.schemaVersion,
      occurredAt: now,
      data: JSON.stringify(decided.data),
      meta: formatCommandMeta({ ...of, result }),
      stream: decided.stream,
    }
  })
}

/** What is in the log stays: a decision that does not fit its event's schema is a defect, found before it is written. */
function assertSchema({ type, data }: Decided): void {
  const faults = compile(type.schema)(data)
  if (faults.length > 0) throw new TypeError(`${type.type} does not fit its schema: ${JSON.stringify(faults)}`)
}
