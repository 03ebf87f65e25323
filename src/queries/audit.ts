// The audit log of one organisation, newest first. A page is found by position, which never changes, so that none is missed or
// shown twice while new entries arrive; every statement here names the organisation.
import type { Knex } from 'knex'
import { Problem } from '../errors.ts'
import type { EventLog } from '../events/eventLog.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { parseInstant } from '../kernel/instants.ts'
import { LIMITS } from '../limits.ts'
import type { AccountSubject } from '../projections/audit/subjects.ts'
import { textOfId } from '../projections/storage/rows.ts'
import { ACTION_LABELS } from './auditSchemas.ts'

export interface AuditFilter {
  readonly from?: string
  readonly to?: string
  readonly actor?: string
  /** Types of events with commas between. */
  readonly action?: string
  readonly app?: string
  readonly subject?: string
}

export interface AuditActor {
  readonly accountId: string
  readonly email: string | null
  readonly name: string | null
}

export interface AuditEntry {
  readonly position: number
  readonly recordedAt: string
  readonly occurredAt: string
  readonly actor: AuditActor | null
  readonly action: string
  readonly label: string
  readonly subject: { readonly kind: string; readonly id: string; readonly name: string | null }
  readonly appId: string | null
  readonly before: Readonly<Record<string, unknown>> | null
  readonly after: Readonly<Record<string, unknown>> | null
  readonly erased: boolean
}

/** A filter with its instants resolved. */
export interface AuditScope extends Omit<AuditFilter, 'from' | 'to'> {
  readonly organisationId: string
  readonly fromMs: number | undefined
  readonly toMs: number | undefined
  /** Positions that the instants leave, so that a page does not look through all that is newer. */
  readonly after: number
  readonly upTo: number
}

interface Row {
  readonly position: number | string
  readonly recorded_at: number | string
  readonly occurred_at: number | string
  readonly actor_id: Uint8Array | ArrayBuffer | null
  readonly action: string
  readonly subject_kind: string
  readonly subject_id: string
  readonly subject_name: string | null
  readonly app_id: Uint8Array | ArrayBuffer | null
  readonly before_json: string | null
  readonly after_json: string | null
  readonly erased: number
}

/** Throws Problem `invalid_parameter`, `empty_range`. */
export async function auditScope(log: Pick<EventLog, 'head' | 'positionAt'>, organisationId: string, { from, to, ...filter }: AuditFilter): Promise<AuditScope> {
  const fromMs = instantOf('from', from)
  const toMs = instantOf('to', to)
  if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs) throw new Problem('empty_range')
  // What is recorded from now on is no earlier than the head.
  const closed = toMs !== undefined && (await log.head(0)).recordedAt >= toMs
  return {
    ...{ ...filter, organisationId, fromMs, toMs },
    after: fromMs === undefined ? 0 : await log.positionAt(0, fromMs - 1),
    upTo: closed ? await log.positionAt(0, toMs - 1) : Number.MAX_SAFE_INTEGER,
  }
}

export async function readAudit(
  trx: Knex,
  build: number,
  scope: AuditScope,
  { limit = LIMITS.pageDefault, cursor }: { readonly limit?: number; readonly cursor?: string },
): Promise<{ entries: AuditEntry[]; nextCursor: string | null }> {
  let query = entriesIn(trx, build, scope)
  if (cursor !== undefined) query = query.where('position', '<', positionIn(cursor))
  const rows = await query.orderBy('position', 'desc').limit(limit + 1).select<Row[]>('*')
  const shown = rows.slice(0, limit)
  const actors = await actorsOf(trx, build, shown)
  return { entries: shown.map((row) => entryOf(row, actors)), nextCursor: rows.length > limit ? String(shown.at(-1)!.position) : null }
}

/** The rows that a filter leaves. */
export function entriesIn(trx: Knex, build: number, scope: AuditScope): Knex.QueryBuilder {
  const { organisationId, fromMs, toMs, after, upTo, actor, action, app, subject } = scope
  let query = trx('audit_entries').where({ build, organisation_id: uuidToBytes(organisationId) })
  if (after > 0) query = query.where('position', '>', after)
  if (upTo < Number.MAX_SAFE_INTEGER) query = query.where('position', '<=', upTo)
  if (fromMs !== undefined) query = query.where('recorded_at', '>=', fromMs)
  if (toMs !== undefined) query = query.where('recorded_at', '<', toMs)
  if (actor !== undefined) query = query.where('actor_id', uuidToBytes(actor))
  if (action !== undefined) query = query.whereIn('action', [...new Set(action.split(','))])
  if (app !== undefined) query = query.where('app_id', uuidToBytes(app))
  return subject === undefined ? query : query.where('subject_id', subject)
}

async function actorsOf(trx: Knex, build: number, rows: readonly Row[]): Promise<ReadonlyMap<string, AuditActor>> {
  const ids = [...new Set(rows.flatMap(({ actor_id }) => (actor_id === null ? [] : [textOfId(actor_id)])))]
  const found = await trx('audit_subjects')
    .where({ build, kind: 'account' })
    .whereIn('first_id', ids.map(uuidToBytes))
    .select<{ first_id: Uint8Array | ArrayBuffer; state: string }[]>('first_id', 'state')
  return new Map(
    found.map(({ first_id, state }) => {
      const accountId = textOfId(first_id)
      const { email = null, name = null } = JSON.parse(state) as AccountSubject
      return [accountId, { accountId, email, name }]
    }),
  )
}

function entryOf(row: Row, actors: ReadonlyMap<string, AuditActor>): AuditEntry {
  const actor = row.actor_id === null ? null : textOfId(row.actor_id)
  return {
    position: Number(row.position),
    recordedAt: new Date(Number(row.recorded_at)).toISOString(),
    occurredAt: new Date(Number(row.occurred_at)).toISOString(),
    actor: actor === null ? null : (actors.get(actor) ?? { accountId: actor, email: null, name: null }),
    action: row.action,
    label: ACTION_LABELS[row.action] ?? row.action,
    subject: { kind: row.subject_kind, id: row.subject_id, name: row.subject_name },
    appId: row.app_id === null ? null : textOfId(row.app_id),
    before: factsIn(row.before_json),
    after: factsIn(row.after_json),
    erased: row.erased === 1,
  }
}

function factsIn(json: string | null): AuditEntry['before'] {
  return json === null ? null : (JSON.parse(json) as Record<string, unknown>)
}

function positionIn(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor)
  throw new Problem('invalid_parameter', undefined, { errors: [{ path: 'cursor', detail: 'is not a cursor of this list' }] })
}

function instantOf(path: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const atMs = parseInstant(text, 'UTC')
  if (atMs !== undefined) return atMs
  throw new Problem('invalid_parameter', undefined, { errors: [{ path, detail: 'is no ISO 8601 date or time; write the + of an offset as %2B in an address' }] })
}
