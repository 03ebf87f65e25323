// The log on SQLite: the only SQL of this engine on the log's tables. The head lock is BEGIN IMMEDIATE, which locks all of
// the file; side by side with mysqlEventLog.ts, which does the same steps in the same order.
import { classifySqlite, isSqliteRepeat } from '../kernel/database/faults.ts'
import type { SqliteDatabase, SqliteHandle } from '../kernel/database/sqlite.ts'
import type { Clock } from '../kernel/clock.ts'
import { textKey } from '../kernel/hashing.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import { checkAppend, EventRefused, idKey, type Known, type Plan, planAppend } from './appendPlan.ts'
import type { Append, Appended, BrowseOptions, EventLog, Head, ScannedEvent, StoredEvent, StoreFault } from './eventLog.ts'
import { partitionOf } from './partitioning.ts'
import { inOrder, lastRecorded } from './positions.ts'
import { Repeats } from './repeats.ts'
import { contentHash, isRedacted } from './sealing.ts'
import { insertEvents } from './sqliteInsert.ts'
import { eventsOfPage, type PageRow, pageSql, type ScanRow, scannedOfPage, scanSql } from './sqlitePage.ts'

type Statement = ReturnType<SqliteHandle['prepare']>
type HeadRow = [partition: number, position: number, recordedAt: number, hash: Buffer]

const BY_APP = 'events INDEXED BY events_app_position'
const LEDGER = ['`stored`', 'duplicate', 'rejected', 'released', 'discarded', 'recorded']
const MOVE_LEDGER = `INSERT INTO ledger (app_id, hour, ${LEDGER.join(', ')}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (app_id, hour) DO UPDATE SET ${LEDGER.map((column) => `${column} = ${column} + excluded.${column}`).join(', ')}`
const KEEP_REFUSED = 'INSERT INTO quarantine (app_id, number, received_at, code, detail, body, via_public_key, altered, skew_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'

export class SqliteEventLog implements EventLog {
  private readonly listeners = new Set<(partition: number, position: number) => void>()
  private readonly repeats = new Repeats(isSqliteRepeat)
  private readonly statements = new WeakMap<SqliteHandle, Map<string, Statement>>()

  constructor(
    private readonly database: SqliteDatabase,
    readonly partitions: number,
    private readonly clock: Clock,
  ) {}

  partitionOf(appId: string): number {
    return partitionOf(appId, this.partitions)
  }

  async append(append: Append): Promise<readonly (readonly Appended[])[]> {
    checkAppend(append, this.partitions)
    const plan = await this.repeats.appended(append, (find) => this.transaction(append, find))
    if (plan.rows.length > 0) for (const listener of this.listeners) listener(append.partition, plan.head.position)
    return plan.results
  }

  /** Everything between lock and commit. Overridden only by a test that takes the lock out. */
  protected transaction(append: Append, findRepeats: boolean): Promise<Plan> {
    return this.database.write((handle) => {
      const plan = planAppend(append, this.readKnown(handle, append, findRepeats), this.clock.now())
      this.writePlan(handle, append.partition, plan)
      return plan
    })
  }

  protected readKnown(handle: SqliteHandle, { partition, packs, expected }: Append, findRepeats: boolean): Known {
    const place = this.prepare(handle, 'SELECT position FROM events WHERE app_id = ? AND event_id = ?')
    const delivery = this.prepare(handle, 'SELECT 1 FROM deliveries WHERE `partition` = ? AND delivery_id = ?')
    const version = this.prepare(handle, 'SELECT MAX(version) FROM streams WHERE `partition` = ? AND stream_key = ?')
    const refusals = this.prepare(handle, 'SELECT SUM(rejected) FROM quarantine_counts WHERE app_id = ?')
    const positions = new Map<string, number>()
    const streams = new Set(expected?.map(({ stream }) => stream))
    const delivered = new Set<string>()
    const refused = new Map<string, number>()
    for (const { deliveryId, events, rejected } of packs) {
      for (const { appId, eventId, stream } of events) {
        const row = findRepeats ? (place.get([uuidToBytes(appId), uuidToBytes(eventId)]) as [number] | undefined) : undefined
        if (row !== undefined) positions.set(idKey(appId, eventId), row[0])
        if (stream !== undefined) streams.add(stream)
      }
      if (delivery.get([partition, uuidToBytes(deliveryId)]) !== undefined) delivered.add(deliveryId)
      for (const { appId } of rejected) {
        if (!refused.has(appId)) refused.set(appId, (refusals.get([uuidToBytes(appId)]) as [number | null])[0] ?? 0)
      }
    }
    const versions = new Map([...streams].map((stream) => [stream, (version.get([partition, textKey(stream)]) as [number | null])[0] ?? 0]))
    return { head: this.headBy(handle, partition), positions, versions, delivered, refused }
  }

  protected writePlan(handle: SqliteHandle, partition: number, plan: Plan): void {
    const { rows, recordedAt, head } = plan
    insertEvents((sql) => this.prepare(handle, sql), partition, recordedAt, rows)
    const stream = this.prepare(handle, 'INSERT INTO streams (`partition`, stream_key, version, position) VALUES (?, ?, ?, ?)')
    for (const { event, position, streamVersion } of rows) {
      if (event.stream !== undefined) stream.run([partition, textKey(event.stream), streamVersion, position])
    }
    if (rows.length > 0) {
      const append = this.prepare(handle, 'INSERT INTO appends (`partition`, first_position, last_position, hash) VALUES (?, ?, ?, ?)')
      append.run([partition, rows[0]!.position, head.position, head.hash])
      const move = this.prepare(handle, 'UPDATE heads SET position = ?, recorded_at = ?, hash = ? WHERE `partition` = ?')
      move.run([head.position, recordedAt, head.hash, partition])
    }
    this.writeLedger(handle, partition, plan)
  }

  private writeLedger(handle: SqliteHandle, partition: number, plan: Plan): void {
    const { deliveries, ledger, recordedAt } = plan
    const delivery = this.prepare(handle, 'INSERT INTO deliveries (`partition`, delivery_id, delivered_at) VALUES (?, ?, ?)')
    for (const { deliveryId } of deliveries) delivery.run([partition, uuidToBytes(deliveryId), recordedAt])
    const move = this.prepare(handle, MOVE_LEDGER)
    for (const { appId, hour, stored, duplicate, rejected, released, discarded, recorded } of ledger) {
      move.run([uuidToBytes(appId), hour, stored, duplicate, rejected, released, discarded, recorded])
    }
    this.writeQuarantine(handle, plan)
  }

  private writeQuarantine(handle: SqliteHandle, { quarantine, resolutions, recordedAt }: Plan): void {
    const keep = this.prepare(handle, KEEP_REFUSED)
    const count = this.prepare(
      handle,
      `INSERT INTO quarantine_counts (app_id, code, rejected, last_at) VALUES (?, ?, 1, ?)
       ON CONFLICT (app_id, code) DO UPDATE SET rejected = rejected + 1, last_at = max(last_at, excluded.last_at)`,
    )
    const drop = this.prepare(handle, 'DELETE FROM quarantine WHERE app_id = ? AND number <= ?')
    for (const { appId, number, receivedAt, code, detail, body, viaPublicKey, altered, skewMs = 0 } of quarantine) {
      const app = uuidToBytes(appId)
      keep.run([app, number, receivedAt, code, detail, body, viaPublicKey === true ? 1 : 0, altered === true ? 1 : 0, skewMs])
      count.run([app, code, receivedAt])
      drop.run([app, number - LIMITS.quarantineBodiesPerApp])
    }
    const resolve = this.prepare(
      handle,
      // What nobody wants is not kept either.
      `UPDATE quarantine SET resolution = ?1, resolved_at = ?2, resolved_by = ?3, event_id = ?4, body = CASE ?1 WHEN 'discarded' THEN '' ELSE body END
       WHERE app_id = ?5 AND number = ?6`,
    )
    for (const { appId, number, as, by, eventId } of resolutions) {
      resolve.run([as, recordedAt, uuidToBytes(by), eventId === null ? null : uuidToBytes(eventId), uuidToBytes(appId), number])
    }
  }

  read(partition: number, after: number, limit: number): Promise<StoredEvent[]> {
    const from = 'events WHERE `partition` = ? AND position > ? ORDER BY position LIMIT ?'
    return inPages(after, limit, (next, size) => this.select(from, [partition, next, size]))
  }

  readApp(appId: string, after: number, limit: number): Promise<StoredEvent[]> {
    const from = `${BY_APP} WHERE app_id = ? AND position > ? AND \`partition\` = ? ORDER BY position LIMIT ?`
    return inPages(after, limit, (next, size) => this.select(from, [uuidToBytes(appId), next, this.partitionOf(appId), size]))
  }

  scan(appId: string, after: number, limit: number): Promise<ScannedEvent[]> {
    const sql = scanSql(`${BY_APP} WHERE app_id = ? AND position > ? AND \`partition\` = ? ORDER BY position LIMIT ?`)
    const app = uuidToBytes(appId)
    return inPages(after, limit, (next, size) =>
      this.page(() => scannedOfPage(this.prepare(this.database.reader, sql).get([app, next, this.partitionOf(appId), size]) as ScanRow)),
    )
  }

  async readAt(partition: number, positions: readonly number[]): Promise<StoredEvent[]> {
    const found: StoredEvent[] = []
    for (const some of inOrder(positions)) {
      const from = 'events WHERE `partition` = ? AND position IN (SELECT value FROM json_each(?)) ORDER BY position'
      found.push(...(await this.select(from, [partition, JSON.stringify(some)])))
    }
    return found
  }

  positionAt(partition: number, recordedAtMs: number): Promise<number> {
    const at = this.prepare(this.database.reader, 'SELECT recorded_at FROM events WHERE `partition` = ? AND position = ?')
    return lastRecorded(this.headBy(this.database.reader, partition).position, recordedAtMs, (position) =>
      Promise.resolve((at.get([partition, position]) as [number])[0]),
    )
  }

  async readStream(partition: number, stream: string): Promise<StoredEvent[]> {
    const places = 'SELECT position FROM streams WHERE `partition` = ? AND stream_key = ?'
    const events = await this.select(
      `events WHERE \`partition\` = ? AND position IN (${places}) ORDER BY position`,
      [partition, partition, textKey(stream)],
    )
    return events.filter((event) => event.stream === stream)
  }

  browse(appId: string, { before, limit, type }: BrowseOptions): Promise<StoredEvent[]> {
    const where = ['app_id = ?', '`partition` = ?', ...(before === undefined ? [] : ['position < ?']), ...(type === undefined ? [] : ['type = ?'])]
    const bindings = [uuidToBytes(appId), this.partitionOf(appId), ...(before === undefined ? [] : [before]), ...(type === undefined ? [] : [type])]
    return this.select(`${BY_APP} WHERE ${where.join(' AND ')} ORDER BY position DESC LIMIT ?`, [...bindings, limit])
  }

  async find(appId: string, eventId: string): Promise<StoredEvent | undefined> {
    const [event] = await this.select('events WHERE app_id = ? AND event_id = ?', [uuidToBytes(appId), uuidToBytes(eventId)])
    return event
  }

  contentHash(appId: string, eventId: string): Promise<string | undefined> {
    const statement = this.prepare(this.database.reader, 'SELECT seal, data FROM events WHERE app_id = ? AND event_id = ?')
    const row = statement.get([uuidToBytes(appId), uuidToBytes(eventId)]) as [Buffer, string | null] | undefined
    return Promise.resolve(row === undefined ? undefined : Buffer.from(contentHash(row[0], row[1])).toString('hex'))
  }

  heads(): Promise<Head[]> {
    const rows = this.prepare(this.database.reader, 'SELECT `partition`, position, recorded_at, hash FROM heads ORDER BY `partition`').all([])
    return Promise.resolve((rows as HeadRow[]).map(toHead))
  }

  head(partition: number): Promise<Head> {
    return Promise.resolve(this.headBy(this.database.reader, partition))
  }

  redact(appId: string, eventId: string, redacted: string | null): Promise<boolean> {
    if (redacted !== null && redacted.includes('\0')) return Promise.reject(new EventRefused(eventId, 'redacted data has no NUL'))
    return this.database.write((handle) => {
      const ids = [uuidToBytes(appId), uuidToBytes(eventId)]
      const row = this.prepare(handle, 'SELECT seal, data FROM events WHERE app_id = ? AND event_id = ?').get(ids) as [Buffer, string | null] | undefined
      if (row === undefined) return false
      const [seal, data] = row
      const kept = isRedacted(seal) ? seal : contentHash(seal, data)
      this.prepare(handle, 'UPDATE events SET data = ?, seal = ? WHERE app_id = ? AND event_id = ?').run([redacted, kept, ...ids])
      return true
    })
  }

  classify(error: unknown): StoreFault {
    return error instanceof EventRefused ? 'deterministic' : classifySqlite(error)
  }

  onAppended(listener: (partition: number, position: number) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  close(): Promise<void> {
    this.listeners.clear()
    return Promise.resolve()
  }

  private headBy(handle: SqliteHandle, partition: number): Head {
    const row = this.prepare(handle, 'SELECT `partition`, position, recorded_at, hash FROM heads WHERE `partition` = ?').get([partition])
    if (row === undefined) throw new RangeError(`there is no partition ${partition}`)
    return toHead(row as HeadRow)
  }

  // Reading is synchronous and short; within a promise its errors look like those of any engine.
  protected select(from: string, bindings: unknown[]): Promise<StoredEvent[]> {
    return this.page(() => eventsOfPage(this.prepare(this.database.reader, pageSql(from)).get(bindings) as PageRow))
  }

  private page<T>(read: () => T): Promise<T> {
    return new Promise((resolve) => {
      resolve(read())
    })
  }

  private prepare(handle: SqliteHandle, sql: string): Statement {
    const known = this.statements.get(handle) ?? new Map<string, Statement>()
    this.statements.set(handle, known)
    let statement = known.get(sql)
    if (statement === undefined) {
      statement = handle.prepare(sql)
      if (statement.reader) statement.raw()
      known.set(sql, statement)
    }
    return statement
  }
}

/** A column of a page is one value, and a value of SQLite is bounded. */
async function inPages<Event extends { position: number }>(after: number, limit: number, read: (after: number, limit: number) => Promise<Event[]>): Promise<Event[]> {
  const events: Event[] = []
  for (;;) {
    const size = Math.min(limit - events.length, LIMITS.readPageEvents)
    const page = await read(events.at(-1)?.position ?? after, size)
    if (events.length === 0 && (page.length < size || size === limit)) return page
    for (const event of page) events.push(event)
    if (page.length < size || events.length >= limit) return events
  }
}

function toHead([partition, position, recordedAt, hash]: HeadRow): Head {
  return { partition, position, recordedAt, hash }
}
