// Rebuilds several projections at once: each page of the log is read and parsed once for all of them, which is most of what
// a rebuild costs. Each then catches up and switches by itself, as if it had been rebuilt alone.
import { type Folding, withFolding } from './folding.ts'
import type { Projection } from './projection.ts'
import type { RebuildOptions, ReplayProgress } from './rebuildSession.ts'
import { replay } from './replay.ts'

export interface TogetherOptions extends Omit<RebuildOptions, 'projection'> {
  /** Of source `apps`. */
  readonly projections: readonly Projection[]
  readonly keep?: number | undefined
}

/** Throws what the first failure threw, after the others have stopped; what has switched by then stays switched. */
export function replayTogether(options: TogetherOptions): Promise<{ builds: ReadonlyMap<string, number>; events: number }> {
  return withFolding(options, (folding) => replayBy(folding, options))
}

async function replayBy(folding: Folding, { projections, onProgress, keep, ...options }: TogetherOptions): Promise<{ builds: ReadonlyMap<string, number>; events: number }> {
  const failing = new AbortController()
  const signal = AbortSignal.any([failing.signal, ...(options.signal === undefined ? [] : [options.signal])])
  const steps = new Map<string, ReplayProgress>()
  const report = (name: string, step: ReplayProgress): void => {
    steps.set(name, step)
    // As far as the slowest is, all are.
    if (steps.size === projections.length) onProgress?.([...steps.values()].reduce((slowest, each) => (each.percent < slowest.percent ? each : slowest)))
  }
  const rebuilding = projections.map(async (projection) => {
    try {
      const onStep = (step: ReplayProgress): void => report(projection.name, step)
      return [projection.name, await replay({ ...options, projection, folding, keep, signal, onProgress: onStep })] as const
    } catch (error) {
      failing.abort(error)
      throw error
    } finally {
      folding.leave(projection.name)
    }
  })
  const ended = await Promise.allSettled(rebuilding)
  const failed = ended.find((each) => each.status === 'rejected')
  if (failed !== undefined) throw failing.signal.aborted ? failing.signal.reason : failed.reason
  const done = ended.filter((each) => each.status === 'fulfilled').map(({ value }) => value)
  const events = done.length === 0 ? 0 : [...done[0]![1].positions.values()].reduce((sum, position) => sum + position, 0)
  return { builds: new Map(done.map(([name, { build }]) => [name, build])), events }
}
