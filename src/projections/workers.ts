// Who is at work on projections, seen without comparing clocks: a worker moves its beat, and one whose beat has stood still
// for a lease's length as watched from here is dead. Clocks of machines may jump or disagree; correctness never hangs on
// this, for a worker that is wrongly thought dead is fenced.
import { performance } from 'node:perf_hooks'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database.ts'
import { uuidv7 } from '../kernel/ids.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'

export type Serves = 'live' | 'rebuild'

interface Seen {
  beat: number
  serves: Serves
  /** On this process' monotonic clock. */
  since: number
}

const TABLE = 'projection_workers'

export class Workers {
  private readonly seen = new Map<string, Seen>()

  constructor(
    private readonly database: Database,
    private readonly leaseMs: number = LIMITS.leaseMs,
  ) {}

  /** Looks at every worker's beat. */
  async watch(): Promise<void> {
    const rows = await this.database.knex<{ owner: string; beat: number; serves: Serves }>(TABLE).select('owner', 'beat', 'serves')
    const now = performance.now()
    const present = new Set<string>()
    for (const { owner, beat, serves } of rows) {
      present.add(owner)
      const before = this.seen.get(owner)
      if (before?.beat !== beat) this.seen.set(owner, { beat, serves, since: now })
    }
    for (const owner of this.seen.keys()) if (!present.has(owner)) this.seen.delete(owner)
  }

  /** False for one that is gone or has not moved for a lease's length. */
  alive(owner: string): boolean {
    const seen = this.seen.get(owner)
    return seen !== undefined && performance.now() - seen.since < this.leaseMs
  }

  /** Those that follow the log, in one order for every process. */
  followers(): string[] {
    return [...this.seen].filter(([owner, { serves }]) => serves === 'live' && this.alive(owner)).map(([owner]) => owner).sort()
  }

  /** Strikes off the dead, so that they learn of it when they come back. */
  async bury(): Promise<void> {
    const dead = [...this.seen.keys()].filter((owner) => !this.alive(owner))
    for (const owner of dead) {
      await this.database.knex(TABLE).where({ owner, beat: this.seen.get(owner)!.beat }).delete()
      this.seen.delete(owner)
    }
  }
}

/** Signs on as a worker. */
export async function signOn(database: Database, clock: Clock, serves: Serves): Promise<string> {
  const owner = uuidv7()
  await database.knex(TABLE).insert({ owner, serves, beat: 1, renewed_at: clock.now() })
  return owner
}

/** False when somebody took this worker for dead: its leases are gone. */
export async function beat(database: Database, clock: Clock, owner: string): Promise<boolean> {
  const moved = await database
    .knex(TABLE)
    .where({ owner })
    .update({ beat: database.knex.raw('beat + 1'), renewed_at: clock.now() })
  return moved === 1
}

export async function signOff(database: Database, owner: string): Promise<void> {
  await database.knex(TABLE).where({ owner }).delete()
}

/** Beats until stopped; a store that is away for a while only costs the lease. */
export function keepBeating(database: Database, clock: Clock, owner: string, logger: Logger, leaseMs: number = LIMITS.leaseMs): () => void {
  const timer = setInterval(() => {
    beat(database, clock, owner).catch((error: unknown) => logger.warn('a worker could not beat', { owner, error }))
  }, leaseMs / 5)
  return () => clearInterval(timer)
}
