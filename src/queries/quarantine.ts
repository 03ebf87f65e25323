// The events of an app that were refused, as people look at them before they decide: a page of them with the beginning of each,
// or one with all that is kept of it.
import type { Knex } from 'knex'
import { Problem } from '../errors.ts'
import type { EventLog, Resolution } from '../events/eventLog.ts'
import { type QuarantinedEvent, readQuarantine, readQuarantineCounts, readQuarantined, sumRefused } from '../events/ledger.ts'
import { wholeBody } from '../events/quarantinedBody.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database.ts'
import { sha256 } from '../kernel/hashing.ts'
import { LIMITS } from '../limits.ts'
import { type LedgerApp, type LedgerOptions, readLedgerOf } from './ledger.ts'
import { notACursor } from './person.ts'
import type { Answer, AsOf } from './query.ts'
import type { RangeParams } from './range.ts'

export interface QuarantineAsked {
  readonly code?: string
  readonly status?: 'quarantined' | Resolution['as']
  readonly limit?: number
  readonly cursor?: string
}

export interface LedgerQueries {
  /** Throws Problem `invalid_parameter`, `empty_range`, `too_many_rows`. */
  ledger(app: LedgerApp, params: RangeParams): Promise<Answer>
  /** Throws Problem `invalid_parameter`. */
  quarantine(app: LedgerApp, asked: QuarantineAsked): Promise<Answer>
  /** Throws Problem `not_found`, `body_dropped`. */
  quarantined(app: LedgerApp, number: number): Promise<Answer>
}

export function createLedgerQueries(options: LedgerOptions & { readonly database: Database; readonly log: EventLog; readonly clock: Clock }): LedgerQueries {
  const { database, log } = options
  const asOf = async ({ partition }: LedgerApp): Promise<AsOf> => {
    const { position, recordedAt } = await log.head(partition)
    return { position, recordedAt: recordedAt === 0 ? null : new Date(recordedAt).toISOString(), lagEvents: 0 }
  }
  const answered = async (app: LedgerApp, question: (trx: Knex) => Promise<Record<string, unknown>>): Promise<Answer> => {
    // Before the snapshot, which is then no older than what it says of itself.
    const at = await asOf(app)
    const body = await database.snapshot(question)
    return answer({ ...body, asOf: at }, body)
  }
  return {
    ledger: async (app, params) => {
      const body = { ...(await readLedgerOf(options, app, params)) }
      return answer(body, body)
    },
    quarantine: (app, asked) => answered(app, (trx) => readPage(trx, app, asked)),
    quarantined: (app, number) => answered(app, (trx) => readOne(trx, app, number)),
  }
}

function answer(body: Record<string, unknown>, tagged: Record<string, unknown>): Answer {
  return { body, etag: `"${sha256(JSON.stringify(tagged)).toString('base64url').slice(0, 22)}"`, cached: false }
}

async function readPage(trx: Knex, { appId }: LedgerApp, { code, status, limit = LIMITS.pageDefault, cursor }: QuarantineAsked): Promise<Record<string, unknown>> {
  const before = cursor === undefined ? undefined : numberIn(cursor)
  const found = await readQuarantine(trx, appId, { before, code, status, limit: limit + 1 })
  const shown = found.slice(0, limit)
  const codes = await readQuarantineCounts(trx, appId)
  return {
    events: shown.map((event) => ({ ...viewOf(event), excerpt: event.body.slice(0, LIMITS.quarantineExcerptChars) })),
    codes: codes.map(({ lastAt, ...counted }) => ({ ...counted, lastAt: new Date(lastAt).toISOString() })),
    nextCursor: found.length > limit ? String(shown.at(-1)!.number) : null,
  }
}

async function readOne(trx: Knex, { appId }: LedgerApp, number: number): Promise<Record<string, unknown>> {
  const event = await readQuarantined(trx, appId, number)
  if (event !== undefined) return { ...viewOf(event), body: event.body, event: wholeBody(event)?.event ?? null }
  throw new Problem(number >= 1 && number <= (await sumRefused(trx, appId)) ? 'body_dropped' : 'not_found')
}

function viewOf(event: QuarantinedEvent): Record<string, unknown> {
  const { number, receivedAt, code, detail, viaPublicKey, skewMs, resolved } = event
  return {
    ...{ number, receivedAt: new Date(receivedAt).toISOString(), code, detail, viaPublicKey, skewMs },
    whole: wholeBody(event) !== undefined,
    status: resolved?.as ?? 'quarantined',
    resolvedAt: resolved === undefined ? null : new Date(resolved.at).toISOString(),
    resolvedBy: resolved?.by ?? null,
    eventId: resolved?.eventId ?? null,
  }
}

function numberIn(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor)
  throw notACursor()
}
