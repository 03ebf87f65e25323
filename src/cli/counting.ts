// Counts what stands in the log but not yet in the read models: runs the projector in this process until every live
// build has reached the heads seen at the start. Leases make that safe beside a server, which then does part of the work.
import { setTimeout as delay } from 'node:timers/promises'
import { PROJECTIONS } from '../projections/all.ts'
import { liveBuild, partitionsOf } from '../projections/builds.ts'
import { readCheckpoints } from '../projections/checkpoints.ts'
import { startProjector } from '../projections/projector.ts'
import { LIMITS } from '../limits.ts'
import { CommandFailed } from './exitCodes.ts'
import { createProgress } from './progress.ts'
import type { Stores } from './stores.ts'

/** Longer than a dead server's leases last, and than a fold's transaction ever takes. */
const STALLED_MS = 60_000

/** Resolves when no live build lags behind the present heads. Answers how many events were waited for. */
export async function countUntilCaughtUp(stores: Stores): Promise<number> {
  const heads = new Map((await stores.log.heads()).map(({ partition, position }) => [partition, position]))
  const { log, database, clock, logger } = stores
  const projector = startProjector({ log, database, projections: PROJECTIONS, clock, logger })
  const progress = createProgress('counting ')
  try {
    const atFirst = await lag(stores, heads)
    let least = atFirst
    let movedAt = performance.now()
    for (let left = atFirst; left > 0; left = await lag(stores, heads)) {
      if (left < least) movedAt = performance.now()
      else if (performance.now() - movedAt > STALLED_MS) throw new CommandFailed(`${left} events are stored but not counted: the read models do not move`)
      least = Math.min(least, left)
      progress.update(atFirst - left, (atFirst - left) / atFirst)
      await delay(LIMITS.pollMs)
    }
    progress.update(atFirst, 1)
    return atFirst
  } finally {
    progress.stop()
    await projector.close()
  }
}

/** The events that the slowest projection of each partition still has before it. */
async function lag({ database, log }: Stores, heads: ReadonlyMap<number, number>): Promise<number> {
  const behind = new Map<number, number>()
  for (const projection of PROJECTIONS) {
    const build = await liveBuild(database.knex, projection.name)
    const checkpoints = build === undefined ? undefined : await readCheckpoints(database.knex, projection.name, build)
    for (const partition of partitionsOf(projection, log.partitions)) {
      const left = (heads.get(partition) ?? 0) - (checkpoints?.get(partition)?.position ?? 0)
      behind.set(partition, Math.max(behind.get(partition) ?? 0, left))
    }
  }
  return [...behind.values()].reduce((sum, left) => sum + left, 0)
}
