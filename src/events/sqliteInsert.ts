// An append's rows into the events table of SQLite with few statements: on this driver each binding costs a tenth of a row, and
// what neighbours have in common (nearly always all but id, time, data and seal) is bound once for many.
import type { SqliteHandle } from '../kernel/database/sqlite.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import type { PlannedRow } from './appendPlan.ts'
import { EVENT_COLUMNS } from './storedRow.ts'

type Prepare = (sql: string) => ReturnType<SqliteHandle['prepare']>

const INSERT = `INSERT INTO events (${EVENT_COLUMNS}, seal) VALUES `
const INSERT_ONE = `${INSERT}(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
const ALIKE = 16
/** Bindings that rows have in common come first, then four of each row. */
const SHARED = 7
const INSERT_ALIKE = INSERT + Array.from({ length: ALIKE }, (_, row) => tuple(row + 1, SHARED + 1 + row * 4)).join(', ')

function tuple(row: number, at: number): string {
  return `(?1, ?2 + ${row}, ?3, ?${at}, ?4, ?5, ?${at + 1}, ?6, NULL, NULL, ?${at + 2}, ?7, ?${at + 3})`
}

/** Rows in the order of their positions, which have no holes. */
export function insertEvents(prepare: Prepare, partition: number, recordedAt: number, rows: readonly PlannedRow[]): void {
  for (let at = 0; at < rows.length; ) {
    if (areAlike(rows, at)) {
      insertAlike(prepare, partition, recordedAt, rows, at)
      at += ALIKE
    } else insertOne(prepare, partition, recordedAt, rows[at++]!)
  }
}

function insertOne(prepare: Prepare, partition: number, recordedAt: number, { event, position, streamVersion, seal }: PlannedRow): void {
  const { appId, eventId, type, schemaVersion, occurredAt, data, meta, stream = null } = event
  const ids = [uuidToBytes(appId), uuidToBytes(eventId)]
  prepare(INSERT_ONE).run([partition, position, ...ids, type, schemaVersion, occurredAt, recordedAt, stream, streamVersion, data, meta, seal])
}

/** Whether so many rows from here on differ in nothing but what INSERT_ALIKE binds for each. */
function areAlike(rows: readonly PlannedRow[], from: number): boolean {
  if (rows.length - from < ALIKE) return false
  const { appId, type, schemaVersion, meta } = rows[from]!.event
  for (let at = from; at < from + ALIKE; at++) {
    const { event } = rows[at]!
    if (event.stream !== undefined || event.appId !== appId || event.type !== type) return false
    if (event.meta !== meta || event.schemaVersion !== schemaVersion) return false
  }
  return true
}

function insertAlike(prepare: Prepare, partition: number, recordedAt: number, rows: readonly PlannedRow[], from: number): void {
  const { event, position } = rows[from]!
  const bindings: unknown[] = [partition, position - 1, uuidToBytes(event.appId), event.type, event.schemaVersion, recordedAt, event.meta]
  for (let at = from; at < from + ALIKE; at++) {
    const { event: each, seal } = rows[at]!
    bindings.push(uuidToBytes(each.eventId), each.occurredAt, each.data, seal)
  }
  prepare(INSERT_ALIKE).run(bindings)
}
