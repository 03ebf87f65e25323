// What the projector's thread and its owner tell each other.
import type { Level } from '../kernel/logger.ts'

/** What a thread that folds beside the API is told at its start. */
export interface ThreadSettings {
  readonly url: string
  /** As the log has them. */
  readonly partitions: number
  readonly logLevel: Level | 'silent'
  readonly role: string
  /** What no line of the log may hold. */
  readonly secrets: readonly string[]
  /** At the write lock of a file. */
  readonly turns?: SharedArrayBuffer | undefined
}

export type ToProjectorThread = { readonly do: 'poke'; readonly partition: number; readonly position: number } | { readonly do: 'end' }

/** Whole lines of the log, for their owner's standard error. */
export interface FromProjectorThread {
  readonly line: string
}
