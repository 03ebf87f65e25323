// When each key last brought an event and how many it brought, from the key id that every collected event carries: no write
// on the way in, and nothing but the log to trust.
import type { Knex } from 'knex'
import { eventCollected } from '../events/eventCollected.ts'
import { isUuid, uuidToBytes } from '../kernel/ids.ts'
import type { Projection } from './projection.ts'
import { chunks } from './storage/upsert.ts'

interface Use {
  readonly appId: string
  readonly keyId: string
  events: number
  lastUsedAt: number
}

type State = Map<string, Use>

export const keyUse: Projection<State, null> = {
  name: 'keyUse',
  codeVersion: 1,
  source: 'apps',
  eventTypes: [eventCollected.type],
  tables: [{ name: 'key_use', key: ['app_id', 'key_id'] }],
  memory: () => null,
  start: () => new Map(),
  fold(state, events) {
    let use: Use | undefined
    let lastMeta: string | null = null
    let keyId: string | undefined
    for (const event of events) {
      // Most events come in runs of one key, or of none, whose meta is the same text.
      const { meta } = event
      if (meta !== lastMeta) {
        keyId = keyIdOf(meta)
        use = undefined
        lastMeta = meta
      }
      if (keyId === undefined) continue
      if (use?.appId !== event.appId) use = useOf(state, event.appId, keyId)
      use.events += 1
      use.lastUsedAt = Math.max(use.lastUsedAt, event.recordedAt)
    }
  },
  async write(trx: Knex.Transaction, build, state) {
    // Added to what is there: the checkpoint's compare-and-set sees to it that each stretch is added once.
    for (const some of chunks([...state.values()])) {
      const rows = some.map(({ appId, keyId, events, lastUsedAt }) => [build, uuidToBytes(appId), uuidToBytes(keyId), events, lastUsedAt])
      await trx.raw(statement(trx, rows.length), rows.flat())
    }
  },
}

function useOf(state: State, appId: string, keyId: string): Use {
  const key = `${appId} ${keyId}`
  let use = state.get(key)
  if (use === undefined) {
    use = { appId, keyId, events: 0, lastUsedAt: 0 }
    state.set(key, use)
  }
  return use
}

/** Events that no key brought (imports, say) count for none. */
function keyIdOf(meta: string | null): string | undefined {
  if (meta === null) return undefined
  const { keyId } = JSON.parse(meta) as { keyId?: unknown }
  return typeof keyId === 'string' && isUuid(keyId) ? keyId : undefined
}

// Times only grow within a partition, so the newest is the greatest.
function statement(trx: Knex, rows: number): string {
  const values = Array.from({ length: rows }, () => '(?, ?, ?, ?, ?)').join(', ')
  const insert = `INSERT INTO key_use (build, app_id, key_id, events, last_used_at) VALUES ${values}`
  return isSqlite(trx)
    ? `${insert} ON CONFLICT (build, app_id, key_id) DO UPDATE SET events = events + excluded.events, last_used_at = excluded.last_used_at`
    : `${insert} ON DUPLICATE KEY UPDATE events = events + VALUES(events), last_used_at = VALUES(last_used_at)`
}

function isSqlite(db: Knex): boolean {
  return (db.client as { dialect: string }).dialect === 'sqlite3'
}
