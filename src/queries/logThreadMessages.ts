// What the thread that answers from the log and its owner tell each other.
import type { ErrorCode, Fault } from '../errors.ts'
import type { LogOutcomes, LogTask, LogTaskKind } from './fromLog/logTask.ts'

export interface ThreadSettings {
  readonly url: string
  readonly partitions: number
  readonly maxEvents: number
}

export type ToThread = { readonly do: 'task'; readonly task: LogTask } | { readonly do: 'cancel' } | { readonly do: 'end' }

export type ThreadFailure =
  | { readonly is: 'cancelled' }
  | { readonly is: 'tooLong'; readonly maxEvents: number }
  | { readonly is: 'problem'; readonly code: ErrorCode; readonly detail: string; readonly errors: readonly Fault[] | undefined }
  | { readonly is: 'away' | 'defect'; readonly message: string; readonly stack: string | undefined }

export type FromThread =
  | { readonly tell: 'progress'; readonly scanned: number }
  | { readonly tell: 'outcome'; readonly outcome: LogOutcomes[LogTaskKind] }
  | { readonly tell: 'failure'; readonly failure: ThreadFailure }
