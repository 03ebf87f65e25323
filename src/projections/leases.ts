// Which units this process follows. Every process sorts units and workers alike and takes its share; a dead worker's units
// go to the others after a lease's length, a new worker's share is handed over at the next look.
import { performance } from 'node:perf_hooks'
import type { Database } from '../kernel/database.ts'
import type { Unit } from './checkpoints.ts'
import type { Workers } from './workers.ts'

/** A unit of a live build as it stands in the table. */
export interface LiveUnit extends Unit {
  readonly owner: string | null
  readonly codeVersion: number
}

export interface Share {
  readonly take: readonly LiveUnit[]
  readonly giveUp: readonly LiveUnit[]
  /** True while a unit of this worker's share is still in other hands. */
  readonly waiting: boolean
}

/** All units of all live builds, in one order for every process. */
export async function liveUnits(database: Database): Promise<LiveUnit[]> {
  const rows = await database
    .knex('projection_checkpoints as c')
    .join('projections as p', (on) => on.on('p.projection', 'c.projection').andOn('p.live_build', 'c.build'))
    .join('projection_builds as b', (on) => on.on('b.projection', 'c.projection').andOn('b.build', 'c.build'))
    .orderBy(['c.partition', 'c.projection'])
    .select<LiveRow[]>('c.projection', 'c.build', 'c.partition', 'c.owner', 'b.code_version')
  return rows.map(({ code_version: codeVersion, ...row }) => ({ ...row, codeVersion }))
}

interface LiveRow extends Unit {
  readonly owner: string | null
  readonly code_version: number
}

export class Shares {
  /** Units that nobody followed when last looked at, and since when. */
  private readonly orphans = new Map<string, number>()
  /** Units taken out of turn, kept until the company changes. */
  private readonly strays = new Set<string>()
  private company = ''

  constructor(
    private readonly workers: Workers,
    private readonly leaseMs: number,
  ) {}

  /** `mine`: what this worker follows now; `able`: what this program knows how to fold. */
  divide(units: readonly LiveUnit[], me: string, mine: ReadonlySet<string>, able: (unit: LiveUnit) => boolean): Share {
    const followers = this.workers.followers()
    if (!followers.includes(me)) followers.push(me)
    followers.sort()
    if (followers.join() !== this.company) this.strays.clear()
    this.company = followers.join()
    const take: LiveUnit[] = []
    const giveUp: LiveUnit[] = []
    let waiting = false
    for (const [index, unit] of units.entries()) {
      const key = unitKey(unit)
      const assigned = followers[index % followers.length]
      const free = unit.owner === null || unit.owner === me || !this.workers.alive(unit.owner)
      const stray = this.orphaned(key, free && !mine.has(key))
      if (mine.has(key)) {
        if (assigned !== me && !this.strays.has(key)) giveUp.push(unit)
      } else if (free && able(unit) && (assigned === me || stray)) {
        if (assigned !== me) this.strays.add(key)
        take.push(unit)
      } else if (assigned === me && able(unit)) waiting = true
    }
    return { take, giveUp, waiting }
  }

  /** True when a unit has been free so long that whoever it is assigned to cannot or will not follow it. */
  private orphaned(key: string, free: boolean): boolean {
    if (!free) {
      this.orphans.delete(key)
      return false
    }
    const now = performance.now()
    const since = this.orphans.get(key) ?? now
    this.orphans.set(key, since)
    return now - since > 2 * this.leaseMs
  }
}

export function unitKey({ projection, build, partition }: Unit): string {
  return `${projection}/${build}/${partition}`
}
