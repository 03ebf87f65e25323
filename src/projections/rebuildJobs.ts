// What an owner may ask of a projection over HTTP, as a message: carried out in this thread or in one of its own.
import type { Projection } from './projection.ts'
import { dropBuild } from './dropRows.ts'
import type { RebuildOptions } from './rebuildSession.ts'
import { dryReplay, RebuildPaused, replay, rollback } from './replay.ts'

export type RebuildJob = { readonly projection: string } & (
  | { readonly do: 'rebuild'; readonly appId?: string | undefined; readonly keep?: number | undefined }
  | { readonly do: 'trial' }
  | { readonly do: 'rollback'; readonly build: number | undefined }
  | { readonly do: 'drop'; readonly build: number }
)

export type RebuildEnd = 'done' | 'paused'

/** Carries a job out to its end. Rejects with what ended it otherwise, or with the reason of the abort. */
export type CarryOut = (job: RebuildJob, signal: AbortSignal) => Promise<RebuildEnd>

export type JobOptions = Omit<RebuildOptions, 'projection' | 'signal'> & { readonly projections: readonly Projection[] }

export function carryingOutHere({ projections, ...options }: JobOptions): CarryOut {
  return async (job, signal) => {
    const projection = projections.find(({ name }) => name === job.projection)!
    try {
      await carryOut(job, { ...options, projection, signal })
      return 'done'
    } catch (error) {
      if (error instanceof RebuildPaused) return 'paused'
      throw error
    }
  }
}

function carryOut(job: RebuildJob, options: RebuildOptions): Promise<unknown> {
  if (job.do === 'rebuild') return replay({ ...options, appId: job.appId, keep: job.keep })
  if (job.do === 'trial') return dryReplay(options)
  if (job.do === 'rollback') return rollback({ ...options, build: job.build })
  return dropBuild(options.database, options.projection, job.build)
}
