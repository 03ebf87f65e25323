// A page of events out of SQLite as one row: each column of the page is one value. libsql hands over a million values a second
// at best, so a page of single values would be six times as slow. Order within the values is that of the rows.
import type { ScannedEvent } from './eventLog.ts'
import { IDS_BYTES, StoredRow } from './storedRow.ts'

// Text of a column is separated by NUL, which the log takes in no text, and NULL stands as U+0001, which is no JSON.
const NULL_TEXT = '\u0001'

const texts = (column: string): string => `CAST(group_concat(${column}, char(0)) AS BLOB)`

/** `from` is all that follows FROM. */
export function pageSql(from: string): string {
  return `SELECT max(\`partition\`), CAST(group_concat(app_id || event_id, '') AS BLOB),
    ${texts('position')}, ${texts('schema_version')}, ${texts('occurred_at')}, ${texts('recorded_at')},
    ${texts('type')}, ${texts('ifnull(data, char(1))')}, ${texts('ifnull(meta, char(1))')},
    ${texts("CASE WHEN stream IS NULL THEN NULL ELSE position || ' ' || stream_version || ' ' || stream END")}
    FROM (SELECT * FROM ${from})`
}

export type PageRow = readonly [
  partition: number | null,
  ids: Buffer,
  positions: Buffer,
  schemaVersions: Buffer,
  occurredAt: Buffer,
  recordedAt: Buffer,
  types: Buffer,
  data: Buffer,
  meta: Buffer,
  streams: Buffer | null,
]

export function eventsOfPage([partition, ids, ...columns]: PageRow): StoredRow[] {
  if (partition === null) return []
  const [positionText, schemaVersionText, occurredAtText, recordedAtText, typeText, dataText, metaText, streamText] = columns
  const count = ids.length / IDS_BYTES
  const positions = integers(positionText, count)
  const schemaVersions = integers(schemaVersionText, count)
  const occurredAt = integers(occurredAtText, count)
  const recordedAt = integers(recordedAtText, count)
  const types = split(typeText, count)
  const data = split(dataText, count)
  const meta = split(metaText, count)
  const streams = streamsOf(streamText)
  const events: StoredRow[] = []
  for (let index = 0; index < count; index++) {
    const position = positions[index]!
    const stream = streams?.get(position)
    events.push(
      new StoredRow(
        ids,
        index * IDS_BYTES,
        partition,
        position,
        types[index]!,
        schemaVersions[index]!,
        occurredAt[index]!,
        recordedAt[index]!,
        stream?.name ?? null,
        stream?.version ?? null,
        orNull(data[index]!),
        orNull(meta[index]!),
      ),
    )
  }
  return events
}

/** The same with no more than ScannedEvent has. */
export function scanSql(from: string): string {
  return `SELECT count(*), ${texts('position')}, ${texts('schema_version')}, ${texts('occurred_at')}, ${texts('recorded_at')},
    ${texts('type')}, ${texts('ifnull(data, char(1))')}
    FROM (SELECT position, schema_version, occurred_at, recorded_at, type, data FROM ${from})`
}

export type ScanRow = readonly [count: number, positions: Buffer, schemaVersions: Buffer, occurredAt: Buffer, recordedAt: Buffer, types: Buffer, data: Buffer]

export function scannedOfPage([count, ...columns]: ScanRow): ScannedEvent[] {
  if (count === 0) return []
  const [positions, schemaVersions, occurredAt, recordedAt] = columns.slice(0, 4).map((column) => integers(column, count)) as [number[], number[], number[], number[]]
  const types = split(columns[4], count)
  return split(columns[5], count).map((data, index) => ({
    position: positions[index]!,
    type: types[index]!,
    schemaVersion: schemaVersions[index]!,
    occurredAt: occurredAt[index]!,
    recordedAt: recordedAt[index]!,
    data: orNull(data),
  }))
}

function orNull(text: string): string | null {
  return text === NULL_TEXT ? null : text
}

function split(bytes: Buffer, count: number): string[] {
  const parts = bytes.toString('utf8').split('\0')
  if (parts.length !== count) throw new RangeError(`a page of ${count} events has ${parts.length} values in a column`)
  return parts
}

const MINUS = 45
const ZERO = 48

function integers(bytes: Buffer, count: number): number[] {
  const numbers: number[] = []
  let number = 0
  let sign = 1
  for (const byte of bytes) {
    if (byte >= ZERO) number = number * 10 + (byte - ZERO)
    else if (byte === MINUS) sign = -1
    else {
      numbers.push(sign * number)
      number = 0
      sign = 1
    }
  }
  numbers.push(sign * number)
  if (numbers.length !== count) throw new RangeError(`a page of ${count} events has ${numbers.length} numbers in a column`)
  return numbers
}

function streamsOf(bytes: Buffer | null): Map<number, { name: string; version: number }> | undefined {
  if (bytes === null) return undefined
  const streams = new Map<number, { name: string; version: number }>()
  for (const text of bytes.toString('utf8').split('\0')) {
    const [position, version, ...name] = text.split(' ')
    streams.set(Number(position), { name: name.join(' '), version: Number(version) })
  }
  return streams
}
