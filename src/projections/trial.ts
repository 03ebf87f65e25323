// A rebuild that switches nothing: the new build is brought to exactly where the live one stands, and what readers would see
// change is written down beside it. It then waits, paused: a rebuild goes on from it, a drop takes it away.
import { setTimeout as pause } from 'node:timers/promises'
import { LIMITS } from '../limits.ts'
import { type Build, liveBuild, partitionsOf } from './builds.ts'
import { readCheckpoints } from './checkpoints.ts'
import { compareBuilds } from './compareBuilds.ts'
import type { Words } from './compareTables.ts'
import type { FoldedUnit } from './folding.ts'
import type { RebuildSession } from './rebuildSession.ts'

export interface TrialReport {
  /** The live build that was compared with. */
  readonly against: number
  /** Epoch milliseconds. */
  readonly at: number
  /** Positions at which both stood, summed over the partitions. */
  readonly events: number
  readonly tables: readonly TrialTable[]
  /** The first differences in words. */
  readonly examples: readonly string[]
}

export interface TrialTable {
  readonly table: string
  readonly same: number
  readonly changed: number
  readonly added: number
  readonly removed: number
  /** Of each numeric column that would change: its sum over all rows now, and then. */
  readonly sums: Readonly<Record<string, { readonly now: number; readonly then: number }>>
}

const TRYING: Words = {
  onlyLeft: 'would go',
  onlyRight: 'would be new',
  changed: (now, then) => `${now} and would have ${then}`,
}

export async function tryOut(session: RebuildSession, { build }: Build, units: readonly FoldedUnit[]): Promise<TrialReport> {
  const { database, log, projection } = session.options
  const partitions = partitionsOf(projection, log.partitions)
  const foldTo = async (positions: ReadonlyMap<number, number>): Promise<void> => {
    await Promise.all(units.map(({ unit, catchUp }) => catchUp(positions.get(unit.partition) ?? 0)))
  }
  const report = await session.reporting(build, partitions, async () => {
    for (;;) {
      const live = (await liveBuild(database.knex, projection.name))!
      await foldTo(await positionsOf(session, live))
      const found = await database.snapshot(async (trx) => {
        const places = await readCheckpoints(trx, projection.name, live)
        const positions = new Map([...places].map(([partition, { position }]) => [partition, position]))
        await foldTo(positions)
        // It may have been brought further than the live build is by now, which then has to come after.
        if (units.some(({ unit, position }) => position !== positions.get(unit.partition))) return undefined
        const tables = await compareBuilds(projection, { db: trx, build: live }, { db: database.knex, build }, TRYING)
        return { live, tables, events: [...positions.values()].reduce((sum, position) => sum + position, 0) }
      })
      if (found !== undefined) {
        const examples = found.tables.flatMap(({ words }) => words).slice(0, LIMITS.differencesShown)
        return { against: found.live, at: session.clock.now(), events: found.events, tables: found.tables.map(tableOf), examples }
      }
      await pause(LIMITS.pollMs, undefined, { signal: session.signal })
    }
  })
  const where = { projection: projection.name, build }
  await database.knex('projection_builds').where(where).update({ report: JSON.stringify(report), paused: 1, error: null })
  return report
}

function tableOf({ table, rows, changed, onlyLeft, onlyRight, sums }: Awaited<ReturnType<typeof compareBuilds>>[number]): TrialTable {
  const named = Object.entries(sums).map(([column, { left, right }]) => [column, { now: left, then: right }] as const)
  return { table, same: rows - changed, changed, added: onlyRight, removed: onlyLeft, sums: Object.fromEntries(named) }
}

async function positionsOf(session: RebuildSession, build: number): Promise<Map<number, number>> {
  const places = await readCheckpoints(session.options.database.knex, session.options.projection.name, build)
  return new Map([...places].map(([partition, { position }]) => [partition, position]))
}
