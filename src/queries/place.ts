// Where an app's rows are and up to where they count: the live build of a projection, the build that holds the app's rows,
// its zone, when it last changed, and the checkpoint. One statement, so what it answers belongs together.
import type { Knex } from 'knex'
import { Problem } from '../errors.ts'
import type { Definitions } from '../events/definitions.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { parseDefinitions } from '../projections/appTerms.ts'

export interface Place {
  readonly rowsBuild: number
  readonly timezone: string
  /** By which definitions the rows were folded, as far as the projection picks them: what the tables can answer. */
  readonly defined: Definitions
  /** Position of the last definition event that was folded: a part of cache keys, because it changes what is in force. */
  readonly definitionsPosition: number
  /** Position of the app's last event that was folded; 0 when there is none. */
  readonly lastPosition: number
  /** The partition's checkpoint: everything up to here is counted. */
  readonly position: number
  readonly recordedAt: number
}

interface Row {
  readonly live_build: number
  readonly position: number | string
  readonly recorded_at: number | string
  readonly rows_build: number | null
  readonly timezone: string | null
  readonly definitions: string | null
  readonly definitions_position: number | string | null
  readonly last_position: number | string | null
}

// Spelt out, because building it through knex takes longer than the store takes to answer it.
const PLACE = [
  'SELECT p.live_build, c.position, c.recorded_at, a.rows_build, a.timezone, a.definitions, a.definitions_position, a.last_position FROM projections p',
  'JOIN projection_checkpoints c ON c.projection = p.projection AND c.build = p.live_build AND c.`partition` = ?',
  'LEFT JOIN projection_apps a ON a.projection = p.projection AND a.build = p.live_build AND a.app_id = ?',
  'WHERE p.projection = ?',
].join(' ')

/** Throws Problem `unavailable` while the projection does not exist yet. */
export async function readPlace(trx: Knex, projection: string, partition: number, appId: string): Promise<Place> {
  // One driver answers rows, the other rows and their columns.
  const answer = await trx.raw<readonly Row[] | readonly [readonly Row[], unknown]>(PLACE, [partition, uuidToBytes(appId), projection])
  const [row] = (Array.isArray(answer[0]) ? answer[0] : answer) as readonly (Row | undefined)[]
  if (row === undefined) throw new Problem('unavailable', `${projection} has not been started yet; try again`, { retryAfterSeconds: 1 })
  return {
    rowsBuild: row.rows_build ?? row.live_build,
    timezone: row.timezone ?? 'UTC',
    defined: parseDefinitions(row.definitions),
    definitionsPosition: Number(row.definitions_position ?? 0),
    lastPosition: Number(row.last_position ?? 0),
    position: Number(row.position),
    recordedAt: Number(row.recorded_at),
  }
}
