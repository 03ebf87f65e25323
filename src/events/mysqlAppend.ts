// The statements of one append on MySQL: what it reads under the head lock, and what it writes. Split from mysqlEventLog.ts
// because they travel as text, many in one packet.
import type { RowDataPacket } from 'mysql2/promise'
import { textKey } from '../kernel/hashing.ts'
import { bytesToUuid } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import { idKey, type Known, type Plan } from './appendPlan.ts'
import type { Append, Head } from './eventLog.ts'
import { bytes, inserts, integer, integerOrNull, text, textOrNull, uuid } from './mysqlText.ts'
import { EVENT_COLUMNS } from './storedRow.ts'

// MariaDB turns an IN list of 1,000 and more into a joined table, which this lookup by a unique index does not gain from.
const IN_LIST = 900

/** A question under the head lock, and what its answer adds to what is known. */
export interface Question {
  readonly sql: string
  take(rows: readonly RowDataPacket[], known: Found): void
}

interface Found {
  head?: Head
  readonly positions: Map<string, number>
  readonly versions: Map<string, number>
  readonly delivered: Set<string>
  readonly refused: Map<string, number>
}

/** The head's lock comes first. Each statement costs the server as much as several rows, so none is asked in vain. */
export function questions(append: Append, headLock: string, findRepeats: boolean): Question[] {
  const { partition, packs } = append
  const of = `\`partition\` = ${integer(partition)}`
  const deliveries = packs.map(({ deliveryId }) => uuid(deliveryId))
  const asked: Question[] = [
    {
      sql: `SELECT position, recorded_at, hash FROM heads WHERE ${of} ${headLock}`,
      take: (rows, known) => {
        const [head] = rows as unknown as [number, number, Buffer][]
        if (head !== undefined) known.head = { partition, position: head[0], recordedAt: head[1], hash: head[2] }
      },
    },
    // Plain reads from here on: a locking read of ids that are not there yet locks gaps, and deadlocks across partitions.
    {
      sql: `SELECT delivery_id FROM deliveries WHERE ${of} AND delivery_id IN (${list(deliveries)})`,
      take: (rows, known) => {
        for (const [id] of rows as unknown as [Buffer][]) known.delivered.add(bytesToUuid(id))
      },
    },
  ]
  if (findRepeats) asked.push(askForPlaces(append))
  const streams = [...streamsOf(append)]
  if (streams.length > 0) asked.push(askForVersions(of, streams))
  const apps = [...new Set(packs.flatMap(({ rejected }) => rejected.map(({ appId }) => appId)))]
  if (apps.length > 0) asked.push(askForRefusals(apps))
  return asked
}

/** From the answers, in the order of the questions. */
export function knownFrom(asked: readonly Question[], answers: readonly RowDataPacket[][], partition: number): Known {
  const known: Found = { positions: new Map(), versions: new Map(), delivered: new Set(), refused: new Map() }
  asked.forEach((question, index) => question.take(answers[index]!, known))
  const { head } = known
  if (head === undefined) throw new RangeError(`there is no partition ${partition}`)
  return { ...known, head }
}

function askForPlaces(append: Append): Question {
  return {
    sql: placesSql(append),
    take: (rows, { positions }) => {
      for (const [app, event, place] of rows as unknown as [Buffer, Buffer, number][]) positions.set(idKey(bytesToUuid(app), bytesToUuid(event)), place)
    },
  }
}

function askForVersions(of: string, streams: readonly string[]): Question {
  const byKey = new Map(streams.map((stream) => [textKey(stream).toString('hex'), stream]))
  const keys = [...byKey.keys()].map((key) => `x'${key}'`)
  return {
    sql: `SELECT stream_key, MAX(version) FROM streams WHERE ${of} AND stream_key IN (${list(keys)}) GROUP BY stream_key`,
    take: (rows, { versions }) => {
      for (const [key, version] of rows as unknown as [Buffer, number][]) versions.set(byKey.get(key.toString('hex'))!, version)
    },
  }
}

function askForRefusals(apps: readonly string[]): Question {
  return {
    sql: `SELECT app_id, SUM(rejected) FROM quarantine_counts WHERE app_id IN (${list(apps.map(uuid))}) GROUP BY app_id`,
    take: (rows, { refused }) => {
      for (const [app, count] of rows as unknown as [Buffer, number][]) refused.set(bytesToUuid(app), count)
    },
  }
}

export function writeSql(partition: number, plan: Plan, maxBytes: number): string[] {
  const { rows, head } = plan
  const statements: string[] = []
  if (rows.length > 0) {
    let app = ''
    let appBytes = ''
    const tuples = rows.map(({ event, position, streamVersion, seal }) => {
      // Neighbours are mostly of one app.
      if (event.appId !== app) appBytes = uuid((app = event.appId))
      const ids = `${appBytes},${uuid(event.eventId)}`
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

const LEDGER = ['`stored`', 'duplicate', 'rejected', 'released', 'discarded', 'recorded']
const LEDGER_INSERT = `INSERT INTO ledger (app_id,hour,${LEDGER.join(',')})`
const LEDGER_ADD = ` ON DUPLICATE KEY UPDATE ${LEDGER.map((column) => `${column}=${column}+VALUES(${column})`).join(',')}`

function ledgerSql(partition: number, plan: Plan, maxBytes: number): string[] {
  const { deliveries, ledger, recordedAt, resolutions } = plan
  const delivered = deliveries.map(({ deliveryId }) => `(${partition},${uuid(deliveryId)},${recordedAt})`)
  const deltas = ledger.map(
    ({ appId, hour, stored, duplicate, rejected, released, discarded, recorded }) =>
      `(${uuid(appId)},${hour},${stored},${duplicate},${rejected},${released},${discarded},${recorded})`,
  )
  return [
    ...inserts('INSERT INTO deliveries (`partition`,delivery_id,delivered_at)', delivered, maxBytes),
    ...inserts(LEDGER_INSERT, deltas, maxBytes, LEDGER_ADD),
    ...quarantineSql(plan, maxBytes),
    ...resolutions.map(({ appId, number, as, by, eventId }) => {
      const set = `resolution=${text(as)},resolved_at=${recordedAt},resolved_by=${uuid(by)},event_id=${eventId === null ? 'NULL' : uuid(eventId)}`
      // What nobody wants is not kept either.
      return `UPDATE quarantine SET ${set}${as === 'discarded' ? ",body=''" : ''} WHERE app_id=${uuid(appId)} AND number=${integer(number)}`
    }),
  ]
}

function quarantineSql({ quarantine }: Plan, maxBytes: number): string[] {
  const bodies = quarantine.map(({ appId, number, receivedAt, code, detail, body, viaPublicKey, altered, skewMs = 0 }) => {
    const flags = `${viaPublicKey === true ? 1 : 0},${altered === true ? 1 : 0}`
    return `(${uuid(appId)},${number},${integer(receivedAt)},${text(code)},${text(detail)},${text(body)},${flags},${integer(skewMs)})`
  })
  const counts = quarantine.map(({ appId, code, receivedAt }) => `(${uuid(appId)},${text(code)},1,${integer(receivedAt)})`)
  const newest = new Map(quarantine.map(({ appId, number }) => [appId, number]))
  return [
    ...inserts('INSERT INTO quarantine (app_id,number,received_at,code,detail,body,via_public_key,altered,skew_ms)', bodies, maxBytes),
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
