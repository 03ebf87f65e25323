// What keys an app has: recognisable, never usable, on whom each stands, what it may still do, and when it was last used.
import type { Knex } from 'knex'
import { scope, type Scope } from '../events/schemas.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import { liveBuild, rowsBuildOf } from '../projections/builds.ts'
import type { KeyRow } from '../projections/keys.ts'
import { textOfId } from '../projections/storage/rows.ts'
import { pageByTime, pageCursor } from './pageCursor.ts'

const instant = { type: 'string', format: 'date-time', nullable: true } as const

export const keyResult = {
  type: 'object',
  additionalProperties: false,
  required: ['keyId', 'appId', 'name', 'issuedBy', 'scopes', 'effectiveScopes', 'writeKey', 'allowedOrigins', 'requestsPerMinute', 'createdAt', 'expiresAt', 'revokedAt', 'replacedBy', 'lastUsedAt', 'events'],
  properties: {
    keyId: { type: 'string' },
    appId: { type: 'string' },
    name: { type: 'string' },
    issuedBy: { type: 'string', description: 'The account on whose role it stands: who issued it, or who has adopted it since' },
    scopes: { type: 'array', items: scope },
    effectiveScopes: { type: 'array', items: scope, description: 'What it may do now, within the present role of that account; none once it has ended' },
    writeKey: { type: 'string', description: 'Its first characters; the rest is known to nobody' },
    allowedOrigins: { type: 'array', nullable: true, items: { type: 'string' }, description: 'null: any' },
    requestsPerMinute: { type: 'integer', nullable: true, description: 'null: no limit of its own' },
    createdAt: { type: 'string', format: 'date-time' },
    expiresAt: { ...instant, description: 'null: never' },
    revokedAt: instant,
    replacedBy: { type: 'string', nullable: true },
    lastUsedAt: { ...instant, description: 'When its newest counted event was recorded' },
    events: { type: 'integer', description: 'How many events it brought' },
  },
} as const

export const keysResult = {
  type: 'object',
  additionalProperties: false,
  required: ['keys', 'nextCursor'],
  properties: { keys: { type: 'array', items: keyResult }, nextCursor: { type: 'string', nullable: true } },
} as const

export interface Key {
  readonly keyId: string
  readonly appId: string
  readonly name: string
  readonly issuedBy: string
  readonly scopes: readonly string[]
  readonly effectiveScopes: readonly Scope[]
  readonly writeKey: string
  readonly allowedOrigins: readonly string[] | null
  readonly requestsPerMinute: number | null
  readonly createdAt: string
  readonly expiresAt: string | null
  readonly revokedAt: string | null
  readonly replacedBy: string | null
  readonly lastUsedAt: string | null
  readonly events: number
}

/** Newest first. `present`: what each key may do now. */
export async function readKeys(
  trx: Knex,
  build: number,
  appId: string,
  present: ReadonlyMap<string, readonly Scope[]>,
  { limit = LIMITS.pageDefault, cursor }: { limit?: number; cursor?: string },
): Promise<{ keys: Key[]; nextCursor: string | null }> {
  const ofApp = trx('api_keys').where({ build, app_id: uuidToBytes(appId) })
  const rows = await pageByTime(ofApp, { time: 'created_at', id: 'key_id', order: 'desc' }, cursor)
    .limit(limit + 1)
    .select<KeyRow[]>('*')
  const used = await usesOf(trx, appId)
  const shown = rows.slice(0, limit)
  return { keys: shown.map((row) => keyOf(row, used, present)), nextCursor: rows.length > limit ? cursorAfter(shown.at(-1)!) : null }
}

function cursorAfter({ created_at, key_id }: KeyRow): string {
  return pageCursor(created_at, textOfId(key_id))
}

type Uses = ReadonlyMap<string, { events: number; lastUsedAt: number }>

async function usesOf(trx: Knex, appId: string): Promise<Uses> {
  const live = await liveBuild(trx, 'keyUse')
  if (live === undefined) return new Map()
  const build = await rowsBuildOf(trx, 'keyUse', live, appId)
  const rows = await trx('key_use')
    .where({ build, app_id: uuidToBytes(appId) })
    .select<{ key_id: Uint8Array; events: number; last_used_at: number }[]>('key_id', 'events', 'last_used_at')
  return new Map(rows.map((row) => [textOfId(row.key_id), { events: row.events, lastUsedAt: row.last_used_at }]))
}

function keyOf(row: KeyRow, used: Uses, present: ReadonlyMap<string, readonly Scope[]>): Key {
  const keyId = textOfId(row.key_id)
  const use = used.get(keyId)
  return {
    keyId,
    appId: textOfId(row.app_id),
    name: row.name,
    issuedBy: textOfId(row.issued_by),
    scopes: row.scopes.split(' '),
    effectiveScopes: present.get(keyId) ?? [],
    writeKey: `${row.write_key_hint}…`,
    allowedOrigins: row.allowed_origins === null ? null : (JSON.parse(row.allowed_origins) as string[]),
    requestsPerMinute: row.requests_per_minute,
    createdAt: iso(row.created_at)!,
    expiresAt: iso(row.expires_at),
    revokedAt: iso(row.revoked_at),
    replacedBy: row.replaced_by === null ? null : textOfId(row.replaced_by),
    lastUsedAt: iso(use?.lastUsedAt ?? null),
    events: use?.events ?? 0,
  }
}

function iso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString()
}
