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
  /** For commands that issue a key: what may be kept of its secret. Made by the caller, because decisions are pure. */
  readonly secret?: KeySecret
}

/** A write key as the log knows it; the key itself is shown once and kept nowhere. */
export interface KeySecret {
  /** SHA-256 of the `rk_…` write key, 64 hex digits. */
  readonly writeKeyHash: string
  /** Its first characters, to recognise it by. */
  readonly writeKeyHint: string
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
  /** Streams that must not have moved either since the state was folded, besides those of the events. */
  readonly guards?: readonly string[]
}

export interface Command<Input, Result> {
  readonly name: string
  readonly schema: JsonSchema
  /** True when it takes something away from somebody: the epoch says so before the answer. */
  readonly withdraws?: true
  /** Pure. Throws Problem when the command is not allowed or makes no sense. */
  decide(state: ControlState, input: Input, context: CommandContext): Decision<Result>
}

/** `repeated`: the command had been carried out before; a secret given with the retry is not the key's. */
export type Executed<Result> = Result & { eventIds: readonly string[]; repeated?: true }

export interface CommandBus {
  /** Answers after the commit, and after this process' own keyring has folded it. Throws Problem. */
  execute<Input, Result>(
    command: Command<Input, Result>,
    input: Input,
    by: { actor: string | undefined; commandId?: string; secret?: KeySecret },
  ): Promise<Executed<Result>>
}
