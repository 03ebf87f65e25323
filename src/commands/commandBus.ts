// The contract of a command: an input schema and a pure decision over the folded control state. The bus refreshes the
// state, decides, appends with expected versions, and decides again on a conflict, a bounded number of times.
import type { EventType, JsonSchema } from '../events/eventType.ts'
import type { ControlState } from './keyring.ts'

export interface CommandContext {
  /** UUID text. Ids of events derive from it, so a retried command is the same command. */
  readonly commandId: string
  /** Epoch milliseconds. */
  readonly now: number
  /** The account that acts; undefined before anybody has signed in. */
  readonly actor: string | undefined
}

/** One fact that a decision leads to; the bus adds id, position and meta. */
export interface Decided {
  readonly type: EventType
  readonly stream: string
  readonly appId: string
  readonly data: unknown
}

export interface Decision<Result> {
  readonly events: readonly Decided[]
  readonly result: Result
}

export interface Command<Input, Result> {
  readonly name: string
  readonly schema: JsonSchema
  /** Pure. Throws Problem when the command is not allowed or makes no sense. */
  decide(state: ControlState, input: Input, context: CommandContext): Decision<Result>
}

export interface CommandBus {
  /** Answers after the commit, and after this process' own keyring has folded it. Throws Problem. */
  execute<Input, Result>(
    command: Command<Input, Result>,
    input: Input,
    by: { actor: string | undefined; commandId?: string },
  ): Promise<Result & { eventIds: readonly string[] }>
}
