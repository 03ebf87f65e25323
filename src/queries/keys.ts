// What keys an app has: recognisable, never usable, and when each was last used.
import type { Knex } from 'knex'
import { uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import { liveBuild, rowsBuildOf } from '../projections/builds.ts'
import type { KeyRow } from '../projections/keys.ts'
import { textOfId } from '../projections/storage/rows.ts'
import { idCursor } from './apps.ts'

const instant = { type: 'string', format: 'date-time', nullable: true } as const

export const keyResult = {
  type: 'object',
  additionalProperties: false,
  required: ['keyId', 'appId', 'name', 'scopes', 'writeKey', 'allowedOrigins', 'createdAt', 'expiresAt', 'revokedAt', 'replacedBy', 'lastUsedAt', 'events'],
  properties: {
    keyId: { type: 'string' },
    appId: { type: 'string' },
    name: { type: 'string' },
    scopes: { type: 'array', items: { type: 'string', enum: ['collect', 'query', 'people'] } },
    writeKey: { type: 'string', description: 'Its first characters; the rest is known to nobody' },
    allowedOrigins: { type: 'array', nullable: true, items: { type: 'string' }, description: 'null: any' },
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
  readonly scopes: readonly string[]
  readonly writeKey: string
  readonly allowedOrigins: readonly string[] | null
  readonly createdAt: string
  readonly expiresAt: string | null
  readonly revokedAt: string | null
  readonly replacedBy: string | null
  readonly lastUsedAt: string | null
  readonly events: number
}

/** Newest first: key ids grow with time. */
export async function readKeys(
  trx: Knex,
  build: number,
  appId: string,
  { limit = LIMITS.pageDefault, cursor }: { limit?: number; cursor?: string },
): Promise<{ keys: Key[]; nextCursor: string | null }> {
  let query = trx('api_keys').where({ build, app_id: uuidToBytes(appId) })
  if (cursor !== undefined) query = query.where('key_id', '<', uuidToBytes(idCursor(cursor)))
  const rows = await query.orderBy('key_id', 'desc').limit(limit + 1).select<KeyRow[]>('*')
  const used = await usesOf(trx, appId)
  const keys = rows.slice(0, limit).map((row) => keyOf(row, used))
  return { keys, nextCursor: rows.length > limit ? keys.at(-1)!.keyId : null }
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

function keyOf(row: KeyRow, used: Uses): Key {
  const keyId = textOfId(row.key_id)
  const use = used.get(keyId)
  return {
    keyId,
    appId: textOfId(row.app_id),
    name: row.name,
    scopes: row.scopes.split(' '),
    writeKey: `${row.write_key_hint}…`,
    allowedOrigins: row.allowed_origins === null ? null : (JSON.parse(row.allowed_origins) as string[]),
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
