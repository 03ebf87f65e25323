// Proves that no (app, event id) is in the log twice. The unique index enforces it; this counts, so that a store whose index
// was lost or damaged in a restore does not pass for whole.
import type { Database } from '../kernel/database.ts'
import { bytesToUuid } from '../kernel/ids.ts'

const SHOWN = 10

interface Twice {
  readonly app_id: Uint8Array | ArrayBuffer
  readonly event_id: Uint8Array | ArrayBuffer
}

/** Ids that are stored more than once, the first few in words; empty when all is well. */
export async function verifyIds({ knex }: Database): Promise<string[]> {
  const table = 'events'
  const rows = await knex(table).groupBy('app_id', 'event_id').havingRaw('count(*) > 1').limit(SHOWN).select<Twice[]>('app_id', 'event_id')
  return rows.map(({ app_id, event_id }) => `event ${uuidOf(event_id)} of app ${uuidOf(app_id)} is stored more than once`)
}

function uuidOf(bytes: Uint8Array | ArrayBuffer): string {
  return bytesToUuid(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes)
}
