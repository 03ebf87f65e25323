// What a thread that folds units of builds and its owner tell each other.
import type { Level } from '../kernel/logger.ts'
import type { Checkpoint, Unit } from './checkpoints.ts'
import type { OnPoison } from './wholeRunner.ts'

export interface FoldThreadSettings {
  readonly url: string
  /** As the log has them. */
  readonly partitions: number
  /** Those that will be taken on: the projections of a partition share its pages. */
  readonly units: readonly Pick<Unit, 'projection' | 'partition'>[]
}

export type ToFoldThread =
  | { readonly do: 'take'; readonly unit: Unit; readonly checkpoint: Checkpoint; readonly owner: string; readonly onPoison: OnPoison }
  | { readonly do: 'catchUp'; readonly unit: Unit; readonly upTo: number; readonly call: number }
  | { readonly do: 'abort'; readonly unit: Unit }
  | { readonly do: 'leave'; readonly projection: string; readonly partition: number | undefined }
  | { readonly do: 'end' }

export type FromFoldThread =
  | { readonly tell: 'reached'; readonly call: number; readonly position: number }
  | { readonly tell: 'failed'; readonly call: number; readonly failure: { readonly name: string; readonly message: string; readonly stack: string | undefined } }
  | { readonly tell: 'log'; readonly level: Exclude<Level, 'debug'>; readonly message: string; readonly fields: Record<string, unknown> }
