// The contract of a command about one app's own data (definitions, corrections): its events stand in the app's partition, and
// it decides on one stream there. The bus reads the stream, decides, appends with the version it saw, and decides again on
// a conflict; it answers after the commit. A retried command is found in the stream by its id and answered as the first time.
import type { FoldEvent } from '../events/catalogue.ts'
import type { EventLog } from '../events/eventLog.ts'
import type { JsonSchema } from '../events/eventType.ts'
import type { CommandContext, Decision, Executed } from './commandBus.ts'

export interface AppCommand<Input, State, Result> {
  readonly name: string
  readonly schema: JsonSchema
  /** The stream the decision rests on, and whose version is expected. */
  stream(appId: string, input: Input): string
  /** What the decision needs, from the stream's events and whatever else of the log. Throws Problem `not_found`. */
  state(log: Pick<EventLog, 'find' | 'readAt' | 'readStream' | 'partitionOf'>, appId: string, input: Input, history: readonly FoldEvent[]): Promise<State>
  /** Pure. Throws Problem when the command makes no sense. All its events stand in its stream. */
  decide(state: State, appId: string, input: Input, context: CommandContext): Decision<Result>
}

export interface AppCommandBus {
  /** The caller has checked that the actor may change the app. Throws Problem. */
  execute<Input, State, Result>(
    command: AppCommand<Input, State, Result>,
    appId: string,
    input: Input,
    by: { actor: string | undefined; commandId?: string },
  ): Promise<Executed<Result>>
}
