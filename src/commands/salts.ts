// The salts of cookieless ids: one per app and local day, shared by all processes through a mutable table outside the log,
// and destroyed 48 hours after that day's end or their creation, whichever is later. A late event for a day whose salt is
// gone makes a new one: nothing links it to what was destroyed.
import { randomBytes } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { type IsoDay, localDay } from '../kernel/localDays.ts'
import type { Logger } from '../kernel/logger.ts'
import { Lru } from '../kernel/lru.ts'
import { LIMITS } from '../limits.ts'
import type { AppState } from './keyring.ts'

type SaltedApp = Pick<AppState, 'appId' | 'settings'>

export interface SaltStore {
  /** The salt of the app's local day at an instant, if this process holds it. */
  peek(app: SaltedApp, atMs: number): Uint8Array | undefined
  /** The same salt in every process. Throws the driver's error when the database is away. */
  get(app: SaltedApp, atMs: number): Promise<Uint8Array>
  /** Fetches tomorrow's salts of apps in use and destroys what is due; what the timer of `start` does each minute. */
  tend(): Promise<void>
  start(logger: Logger): void
  stop(): void
}

interface Held {
  readonly salt: Uint8Array
  readonly destroyAfter: number
}

interface Latest extends Held, IsoDay {
  readonly app: SaltedApp
  readonly timezone: string
}

interface SaltRow {
  app_id: Uint8Array
  day: string
  salt: Uint8Array | ArrayBuffer
  destroy_after: number | string
}

const SALT_BYTES = 32
const ACTIVE_APPS = 10_000

export function createSaltStore({ database, clock }: { readonly database: Database; readonly clock: Clock }): SaltStore {
  const held = new Lru<string, Held>(LIMITS.saltsCached)
  /** The day that each app's last event fell on: almost always that of the next one. */
  const latest = new Map<string, Latest>()
  const fetching = new Map<string, Promise<Uint8Array>>()
  /** When the first of the salts in memory is due. */
  let firstDue = Number.POSITIVE_INFINITY
  /** False while a file beside the tables may still hold what was destroyed. */
  let wiped = false
  let timer: NodeJS.Timeout | undefined

  const peek = (app: SaltedApp, atMs: number): Uint8Array | undefined => {
    const last = latest.get(app.appId)
    const { timezone } = app.settings
    if (last !== undefined && atMs >= last.startMs && atMs < last.endMs && last.timezone === timezone) {
      if (last.destroyAfter > clock.now()) return last.salt
      latest.delete(app.appId)
    }
    const day = localDay(timezone, atMs)
    const known = held.get(keyOf(app, day))
    if (known === undefined || known.destroyAfter <= clock.now()) return undefined
    if (latest.size >= ACTIVE_APPS) latest.clear()
    latest.set(app.appId, { ...known, ...day, app, timezone })
    return known.salt
  }

  const get = (app: SaltedApp, atMs: number): Promise<Uint8Array> => {
    const known = peek(app, atMs)
    if (known !== undefined) return Promise.resolve(known)
    const day = localDay(app.settings.timezone, atMs)
    const key = keyOf(app, day)
    let fetched = fetching.get(key)
    if (fetched === undefined) {
      fetched = fetchOrCreate(database, app.appId, day, clock.now())
        .then((found) => {
          held.set(key, found)
          firstDue = Math.min(firstDue, found.destroyAfter)
          return found.salt
        })
        .finally(() => fetching.delete(key))
      fetching.set(key, fetched)
    }
    return fetched
  }

  const tend = async (): Promise<void> => {
    const now = clock.now()
    const destroyed = await database.knex('salts').where('destroy_after', '<=', now).delete()
    wiped = (wiped && destroyed === 0) || (await wipe(database))
    if (firstDue <= now) {
      // Those that are not due are fetched again.
      held.clear()
      firstDue = Number.POSITIVE_INFINITY
    }
    for (const [appId, { app, destroyAfter }] of latest) {
      if (destroyAfter <= now) latest.delete(appId)
      else await get(app, localDay(app.settings.timezone, now).endMs)
    }
  }

  return {
    peek,
    get,
    tend,
    start(logger) {
      timer ??= setInterval(() => {
        tend().catch((error: unknown) => logger.warn('salts were not tended; trying again in a minute', { error }))
      }, LIMITS.saltSweepMs)
      timer.unref()
    },
    stop() {
      clearInterval(timer)
      timer = undefined
    },
  }
}

/** Takes deleted rows out of SQLite's write-ahead log too. False while readers still need it; later, then. */
async function wipe({ engine, knex }: Database): Promise<boolean> {
  if (engine !== 'sqlite') return true
  const [result] = (await knex.raw('PRAGMA wal_checkpoint(TRUNCATE)')) as [{ busy: number }]
  return result.busy === 0
}

function keyOf(app: SaltedApp, { day }: IsoDay): string {
  return `${app.appId} ${day}`
}

/** Whoever inserts first wins, in whatever process; everybody reads back what won. */
async function fetchOrCreate({ knex }: Database, appId: string, { day, endMs }: IsoDay, now: number): Promise<Held> {
  const place = { app_id: uuidToBytes(appId), day }
  const living = async (): Promise<Held | undefined> => {
    const row = await knex<SaltRow>('salts').where(place).where('destroy_after', '>', now).first('salt', 'destroy_after')
    // libsql answers ArrayBuffers; a copy of what mysql2 answers would be needless.
    if (row === undefined) return undefined
    const salt = row.salt instanceof ArrayBuffer ? new Uint8Array(row.salt) : row.salt
    return { salt, destroyAfter: Number(row.destroy_after) }
  }
  const found = await living()
  if (found !== undefined) return found
  await knex('salts').where(place).where('destroy_after', '<=', now).delete()
  const fresh = { salt: randomBytes(SALT_BYTES), created_at: now, destroy_after: Math.max(endMs, now) + LIMITS.saltKeepMs }
  await knex('salts').insert({ ...place, ...fresh }).onConflict(['app_id', 'day']).ignore()
  const won = await living()
  if (won === undefined) throw new Error('a salt was destroyed while it was being made')
  return won
}
