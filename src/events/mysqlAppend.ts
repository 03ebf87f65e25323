// The statements of one append on MySQL: what it reads under the head lock, and what it writes. Split from mysqlEventLog.ts
// because they travel as text, many in one packet.
import type { RowDataPacket } from 'mysql2/promise'
import { textKey } from '../kernel/hashing.ts'
import { bytesToUuid } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import { idKey, type Known, type Plan } from './appendPlan.ts'
import type { Append } from './eventLog.ts'
import { bytes, inserts, integer, integerOrNull, text, textOrNull, uuid } from './mysqlText.ts'
import { EVENT_COLUMNS } from './storedRow.ts'

// MariaDB turns an IN list of 1,000 and more into a joined table, which this lookup by a unique index does not gain from.
const IN_LIST = 900

/** Statements in the order in which readKnown() expects their results; the head's lock comes first. */
export function knownSql(append: Append, headLock: string): string[] {
  const { packs } = append
  const of = `\`partition\` = ${integer(append.partition)}`
  const apps = [...new Set(packs.flatMap(({ rejected }) => rejected.map(({ appId }) => appId)))]
  const streams = [...streamsOf(append)]
  return [
    `SELECT position, recorded_at, hash FROM heads WHERE ${of} ${headLock}`,
    placesSql(append),
    // Plain reads from here on: a locking read of ids that are not there yet locks gaps, and deadlocks across partitions.
    `SELECT delivery_id FROM deliveries WHERE ${of} AND delivery_id IN (${list(packs.map(({ deliveryId }) => uuid(deliveryId)))})`,
    `SELECT stream_key, MAX(version) FROM streams WHERE ${of} AND stream_key IN (${list(streams.map((stream) => bytes(textKey(stream))))}) GROUP BY stream_key`,
    `SELECT app_id, SUM(rejected) FROM quarantine_counts WHERE app_id IN (${list(apps.map(uuid))}) GROUP BY app_id`,
  ]
}

export function readKnown(append: Append, sets: readonly RowDataPacket[][]): Known {
  const [, head, places, deliveries, versions, refused] = sets as unknown as [
    unknown,
    [number, number, Buffer][],
    [Buffer, Buffer, number][],
    [Buffer][],
    [Buffer, number][],
    [Buffer, number][],
  ]
  if (head[0] === undefined) throw new RangeError(`there is no partition ${append.partition}`)
  const [position, recordedAt, hash] = head[0]
  const byKey = new Map(versions.map(([key, version]) => [key.toString('latin1'), version]))
  return {
    head: { partition: append.partition, position, recordedAt, hash },
    positions: new Map(places.map(([app, event, place]) => [idKey(bytesToUuid(app), bytesToUuid(event)), place])),
    versions: new Map([...streamsOf(append)].map((stream) => [stream, byKey.get(textKey(stream).toString('latin1')) ?? 0])),
    delivered: new Set(deliveries.map(([id]) => bytesToUuid(id))),
    refused: new Map(refused.map(([app, count]) => [bytesToUuid(app), count])),
  }
}

export function writeSql(partition: number, plan: Plan, maxBytes: number): string[] {
  const { rows, head } = plan
  const statements: string[] = []
  if (rows.length > 0) {
    const tuples = rows.map(({ event, position, streamVersion, seal }) => {
      const ids = `${uuid(event.appId)},${uuid(event.eventId)}`
      const times = `${integer(event.occurredAt)},${integer(plan.recordedAt)}`
      const stream = `${textOrNull(event.stream)},${integerOrNull(streamVersion)}`
      return `(${partition},${position},${ids},${text(event.type)},${integer(event.schemaVersion)},${times},${stream},${text(event.data)},${textOrNull(event.meta)},${bytes(seal)})`
    })
    statements.push(
      ...inserts(`INSERT INTO events (${EVENT_COLUMNS},seal)`, tuples, maxBytes),
      `INSERT INTO appends (\`partition\`,first_position,last_position,hash) VALUES (${partition},${rows[0]!.position},${head.position},${bytes(head.hash)})`,
      `UPDATE heads SET position=${head.position},recorded_at=${head.recordedAt},hash=${bytes(head.hash)} WHERE \`partition\`=${partition}`,
    )
  }
  const streams = rows.flatMap(({ event: { stream }, position, streamVersion }) =>
    stream === undefined ? [] : [`(${partition},${bytes(textKey(stream))},${integerOrNull(streamVersion)},${position})`],
  )
  statements.push(...inserts('INSERT INTO streams (`partition`,stream_key,version,position)', streams, maxBytes))
  return [...statements, ...ledgerSql(partition, plan, maxBytes)]
}

function ledgerSql(partition: number, { deliveries, ledger, quarantine, recordedAt }: Plan, maxBytes: number): string[] {
  const delivered = deliveries.map(({ deliveryId }) => `(${partition},${uuid(deliveryId)},${recordedAt})`)
  const deltas = ledger.map(({ appId, hour, stored, duplicate, rejected }) => `(${uuid(appId)},${hour},${stored},${duplicate},${rejected})`)
  const bodies = quarantine.map(
    ({ appId, number, receivedAt, code, detail, body }) => `(${uuid(appId)},${number},${integer(receivedAt)},${text(code)},${text(detail)},${text(body)})`,
  )
  const counts = quarantine.map(({ appId, code, receivedAt }) => `(${uuid(appId)},${text(code)},1,${integer(receivedAt)})`)
  const newest = new Map(quarantine.map(({ appId, number }) => [appId, number]))
  return [
    ...inserts('INSERT INTO deliveries (`partition`,delivery_id,delivered_at)', delivered, maxBytes),
    ...inserts(
      'INSERT INTO ledger (app_id,hour,`stored`,duplicate,rejected)',
      deltas,
      maxBytes,
      ' ON DUPLICATE KEY UPDATE `stored`=`stored`+VALUES(`stored`),duplicate=duplicate+VALUES(duplicate),rejected=rejected+VALUES(rejected)',
    ),
    ...inserts('INSERT INTO quarantine (app_id,number,received_at,code,detail,body)', bodies, maxBytes),
    ...inserts(
      'INSERT INTO quarantine_counts (app_id,code,rejected,last_at)',
      counts,
      maxBytes,
      ' ON DUPLICATE KEY UPDATE rejected=rejected+1,last_at=GREATEST(last_at,VALUES(last_at))',
    ),
    ...[...newest].map(([appId, number]) => `DELETE FROM quarantine WHERE app_id=${uuid(appId)} AND number<=${number - LIMITS.quarantineBodiesPerApp}`),
  ]
}

/** Grouped by app, because not every optimizer uses an index for lists of pairs. */
function placesSql({ packs }: Append): string {
  const ids = new Map<string, string[]>()
  for (const { events } of packs) {
    for (const { appId, eventId } of events) {
      const known = ids.get(appId)
      if (known === undefined) ids.set(appId, [uuid(eventId)])
      else known.push(uuid(eventId))
    }
  }
  const select = 'SELECT app_id,event_id,position FROM events FORCE INDEX (events_app_event) WHERE'
  const parts: string[] = []
  for (const [appId, eventIds] of ids) {
    for (let start = 0; start < eventIds.length; start += IN_LIST) {
      parts.push(`${select} app_id=${uuid(appId)} AND event_id IN (${list(eventIds.slice(start, start + IN_LIST))})`)
    }
  }
  return parts.length === 0 ? `${select} FALSE` : parts.join(' UNION ALL ')
}

function streamsOf({ packs, expected }: Append): Set<string> {
  const streams = new Set(expected?.map(({ stream }) => stream))
  for (const { events } of packs) for (const { stream } of events) if (stream !== undefined) streams.add(stream)
  return streams
}

/** An IN list may not be empty; NULL is equal to nothing. */
function list(values: readonly string[]): string {
  return values.length === 0 ? 'NULL' : values.join(',')
}
