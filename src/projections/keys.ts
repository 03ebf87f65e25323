// The keys that there are, folded from the control partition: what an owner may see of them, and no hash of a secret.
import type { Knex } from 'knex'
import { type ApiKeyAdopted, apiKeyAdopted } from '../events/apiKeyAdopted.ts'
import { apiKeyIssued } from '../events/apiKeyIssued.ts'
import { apiKeyRevoked } from '../events/apiKeyRevoked.ts'
import { apiKeyRotated } from '../events/apiKeyRotated.ts'
import { type FoldEvent, isEvent } from '../events/catalogue.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import type { Projection } from './projection.ts'
import { textOfId } from './storage/rows.ts'
import { insertOrReplace, rowsByIds } from './storage/upsert.ts'

export interface KeyRow {
  readonly app_id: Uint8Array | ArrayBuffer
  readonly key_id: Uint8Array | ArrayBuffer
  /** On whose role it stands: who issued it, or who has adopted it since. */
  readonly issued_by: Uint8Array | ArrayBuffer
  readonly name: string
  /** Separated by spaces. */
  readonly scopes: string
  readonly write_key_hint: string
  /** JSON; null: any. */
  readonly allowed_origins: string | null
  /** Null: no limit of its own. */
  readonly requests_per_minute: number | null
  readonly created_at: number
  /** The earlier of its own expiry and the end of a rotation's overlap; null: never. */
  readonly expires_at: number | null
  readonly revoked_at: number | null
  readonly replaces: Uint8Array | ArrayBuffer | null
  readonly replaced_by: Uint8Array | ArrayBuffer | null
}

interface State {
  /** By key id. */
  readonly rows: Map<string, KeyRow>
  readonly apps: Set<string>
  readonly changed: Set<string>
}

export const keys: Projection<State, null> = {
  name: 'keys',
  codeVersion: 2,
  source: 'control',
  eventTypes: [apiKeyIssued.type, apiKeyAdopted.type, apiKeyRotated.type, apiKeyRevoked.type],
  tables: [{ name: 'api_keys', key: ['app_id', 'key_id'] }],
  memory: () => null,
  start: () => ({ rows: new Map(), apps: new Set(), changed: new Set() }),
  async load(db, build, state, events) {
    // All keys of the apps concerned: they are few, and their index leads with the app.
    const missing = new Set(events.map(({ appId }) => appId).filter((appId) => !state.apps.has(appId)))
    for (const row of await rowsByIds<KeyRow>(db, 'api_keys', build, 'app_id', missing)) state.rows.set(textOfId(row.key_id), row)
    for (const appId of missing) state.apps.add(appId)
  },
  fold(state, events) {
    for (const event of events) {
      if (event.data === null) continue
      const { keyId } = event.data as { keyId: string }
      const row = evolve(state.rows.get(keyId), event)
      if (row === undefined) continue
      state.rows.set(keyId, row)
      state.changed.add(keyId)
    }
  },
  async write(trx: Knex.Transaction, build, { rows, changed }) {
    await insertOrReplace(trx, 'api_keys', ['app_id', 'key_id'], build, [...changed].map((keyId) => rows.get(keyId)!))
  },
}

function evolve(row: KeyRow | undefined, event: FoldEvent): KeyRow | undefined {
  if (isEvent(event, apiKeyIssued)) return issued(event)
  // What began with an event that was redacted is not shown, as it is not for the keyring.
  if (row === undefined) return undefined
  if (isEvent(event, apiKeyAdopted)) return adopted(row, event.data!)
  if (isEvent(event, apiKeyRevoked)) return { ...row, revoked_at: row.revoked_at ?? event.recordedAt }
  if (!isEvent(event, apiKeyRotated)) return undefined
  const { endsAt, replacedBy } = event.data!
  return { ...row, expires_at: Math.min(row.expires_at ?? endsAt, endsAt), replaced_by: uuidToBytes(replacedBy) }
}

function adopted(row: KeyRow, { issuedBy, scopes }: ApiKeyAdopted): KeyRow {
  return { ...row, issued_by: uuidToBytes(issuedBy), scopes: scopes?.join(' ') ?? row.scopes }
}

function issued(event: FoldEvent): KeyRow | undefined {
  if (!isEvent(event, apiKeyIssued) || event.data === null) return undefined
  const { data } = event
  return {
    app_id: uuidToBytes(data.appId),
    key_id: uuidToBytes(data.keyId),
    issued_by: uuidToBytes(data.issuedBy),
    name: data.name,
    scopes: data.scopes.join(' '),
    write_key_hint: data.writeKeyHint,
    allowed_origins: data.allowedOrigins === undefined ? null : JSON.stringify(data.allowedOrigins),
    requests_per_minute: data.requestsPerMinute ?? null,
    created_at: event.recordedAt,
    expires_at: data.expiresAt ?? null,
    revoked_at: null,
    replaces: data.replaces === undefined ? null : uuidToBytes(data.replaces),
    replaced_by: null,
  }
}
