// The apps that there are, folded from the control partition.
import type { Knex } from 'knex'
import { appDeleted } from '../events/appDeleted.ts'
import { appRegistered } from '../events/appRegistered.ts'
import { appTransferred } from '../events/appTransferred.ts'
import { appUpdated } from '../events/appUpdated.ts'
import { type FoldEvent, isEvent } from '../events/catalogue.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import type { Projection } from './projection.ts'
import { textOfId } from './storage/rows.ts'
import { insertOrReplace, rowsByIds } from './storage/upsert.ts'

export interface AppRow {
  readonly app_id: Uint8Array | ArrayBuffer
  readonly owner_id: Uint8Array | ArrayBuffer
  /** Null: the first organisation. */
  readonly organisation_id: Uint8Array | ArrayBuffer | null
  readonly name: string
  readonly url: string | null
  readonly timezone: string
  readonly ip: string
  /** JSON. */
  readonly keep_query: string
  readonly created_at: number
  readonly updated_at: number
  readonly deleted_at: number | null
}

interface State {
  readonly rows: Map<string, AppRow>
  readonly changed: Set<string>
}

export const apps: Projection<State, null> = {
  name: 'apps',
  codeVersion: 2,
  source: 'control',
  eventTypes: [appRegistered.type, appUpdated.type, appTransferred.type, appDeleted.type],
  tables: [{ name: 'apps', key: ['app_id'] }],
  memory: () => null,
  start: () => ({ rows: new Map(), changed: new Set() }),
  async load(db, build, state, events) {
    const missing = new Set(events.map(({ appId }) => appId).filter((appId) => !state.rows.has(appId)))
    for (const row of await rowsByIds<AppRow>(db, 'apps', build, 'app_id', missing)) state.rows.set(textOfId(row.app_id), row)
  },
  fold(state, events) {
    for (const event of events) {
      const row = evolve(state.rows.get(event.appId), event)
      if (row === undefined) continue
      state.rows.set(event.appId, row)
      state.changed.add(event.appId)
    }
  },
  async write(trx: Knex.Transaction, build, { rows, changed }) {
    await insertOrReplace(trx, 'apps', ['app_id'], build, [...changed].map((appId) => rows.get(appId)!))
  },
}

function evolve(row: AppRow | undefined, event: FoldEvent): AppRow | undefined {
  if (isEvent(event, appRegistered) && event.data !== null) {
    const { appId, ownerId, organisationId, name, url, settings } = event.data
    return {
      app_id: uuidToBytes(appId),
      owner_id: uuidToBytes(ownerId),
      organisation_id: organisationId === undefined ? null : uuidToBytes(organisationId),
      name,
      url: url ?? null,
      timezone: settings.timezone,
      ip: settings.ip,
      keep_query: JSON.stringify(settings.keepQuery),
      created_at: event.recordedAt,
      updated_at: event.recordedAt,
      deleted_at: null,
    }
  }
  // What began with an event that was redacted is not shown, as it is not for the keyring.
  if (event.data === null || row === undefined) return undefined
  if (isEvent(event, appDeleted)) return { ...row, updated_at: event.recordedAt, deleted_at: event.recordedAt }
  if (isEvent(event, appTransferred)) return { ...row, updated_at: event.recordedAt, organisation_id: uuidToBytes(event.data.organisationId) }
  if (!isEvent(event, appUpdated)) return undefined
  const { name, url, settings } = event.data
  return {
    ...row,
    name: name ?? row.name,
    url: url ?? row.url,
    timezone: settings?.timezone ?? row.timezone,
    ip: settings?.ip ?? row.ip,
    keep_query: settings?.keepQuery === undefined ? row.keep_query : JSON.stringify(settings.keepQuery),
    updated_at: event.recordedAt,
  }
}
