// The log on MySQL and MariaDB: the only SQL of this engine on the log's tables. The head lock is a row lock on the
// partition's head; side by side with sqliteEventLog.ts, which does the same steps in the same order.
import mysql, { type Pool, type PoolConnection, type RowDataPacket } from 'mysql2/promise'
import type { Clock } from '../kernel/clock.ts'
import { classifyMysql, isMysqlRepeat } from '../kernel/database/faults.ts'
import { isUuid, uuidToBytes } from '../kernel/ids.ts'
import { textKey } from '../kernel/hashing.ts'
import { LIMITS } from '../limits.ts'
import { checkAppend, EventRefused, type Plan, planAppend } from './appendPlan.ts'
import type { Append, Appended, BrowseOptions, EventLog, Head, ScannedEvent, StoredEvent, StoreFault } from './eventLog.ts'
import { knownFrom, questions, writeSql } from './mysqlAppend.ts'
import { bytes, integer, textOrNull, uuid } from './mysqlText.ts'
import { partitionOf } from './partitioning.ts'
import { inOrder, lastRecorded } from './positions.ts'
import { Repeats } from './repeats.ts'
import { contentHash, isRedacted } from './sealing.ts'
import { StoredRow } from './storedRow.ts'

const BY_APP = 'events FORCE INDEX (events_app_position)'
const BY_PLACE = 'events FORCE INDEX (PRIMARY)'
/** Events of any app up to the end of a page, per event of the app in it. */
const SKIPPED_AT_MOST = 3
/** Beyond the server's own timeouts: it is frozen or unreachable, and the connection is worth nothing. */
const STATEMENT_MS = 3 * LIMITS.sessionTimeoutSeconds * 1_000

// The two ids together: a buffer of its own costs as much as all the numbers of a row.
const READ_COLUMNS = '`partition`, position, CONCAT(app_id, event_id), type, schema_version, occurred_at, recorded_at, stream, stream_version, data, meta'

const SCAN_COLUMNS = 'position, type, schema_version, occurred_at, recorded_at, data'

type Row = RowDataPacket[]
type Value = number | string | Buffer

type EventRow = readonly [
  partition: number,
  position: number,
  ids: Buffer,
  type: string,
  schemaVersion: number,
  occurredAt: number,
  recordedAt: number,
  stream: string | null,
  streamVersion: number | null,
  data: string | null,
  meta: string | null,
]

type ScanRow = readonly [position: number, type: string, schemaVersion: number, occurredAt: number, recordedAt: number, data: string | null]

export class MysqlEventLog implements EventLog {
  private readonly listeners = new Set<(partition: number, position: number) => void>()
  private readonly repeats = new Repeats(isMysqlRepeat)
  private readonly turns = new Map<number, Promise<unknown>>()

  constructor(
    private readonly pool: Pool,
    readonly partitions: number,
    private readonly clock: Clock,
    private readonly packetBytes: number,
  ) {}

  partitionOf(appId: string): number {
    return partitionOf(appId, this.partitions)
  }

  async append(append: Append): Promise<readonly (readonly Appended[])[]> {
    checkAppend(append, this.partitions)
    const plan = await this.inTurn(append.partition, () =>
      this.repeats.appended(append, (find) => this.withConnection((connection) => this.transaction(connection, append, find))),
    )
    if (plan.rows.length > 0) for (const listener of this.listeners) listener(append.partition, plan.head.position)
    return plan.results
  }

  /** Everything between lock and commit, in two round trips. Overridden only by a test that takes the lock out. */
  protected async transaction(connection: PoolConnection, append: Append, findRepeats: boolean): Promise<Plan> {
    const asked = questions(append, this.headLock(), findRepeats)
    const [, ...answers] = await query(connection, ['START TRANSACTION', ...asked.map(({ sql }) => sql)].join(';'))
    const plan = planAppend(append, knownFrom(asked, answers, append.partition), this.clock.now())
    for (const packet of packets([...writeSql(append.partition, plan, this.packetBytes), 'COMMIT'], this.packetBytes)) {
      await query(connection, packet)
    }
    return plan
  }

  protected headLock(): string {
    return 'FOR UPDATE'
  }

  read(partition: number, after: number, limit: number): Promise<StoredEvent[]> {
    return this.select('events WHERE `partition` = ? AND position > ? ORDER BY position LIMIT ?', [partition, after, limit])
  }

  readApp(appId: string, after: number, limit: number): Promise<StoredEvent[]> {
    const where = 'app_id = ? AND position > ? AND `partition` = ?'
    return this.select(`${BY_APP} WHERE ${where} ORDER BY position LIMIT ?`, [uuidToBytes(appId), after, this.partitionOf(appId), limit])
  }

  /**
   * The index alone says where the page ends. Where the app is most of what lies up to there, reading the table in its own
   * order and skipping the rest costs the server half of going from index to row for each.
   */
  async scan(appId: string, after: number, limit: number): Promise<ScannedEvent[]> {
    const these = [uuidToBytes(appId), after, this.partitionOf(appId)]
    const places = `SELECT position FROM ${BY_APP} WHERE app_id = ? AND position > ? AND \`partition\` = ? ORDER BY position LIMIT ?`
    const [extent] = await this.prepared(`SELECT COUNT(*), MAX(position) FROM (${places}) AS page`, [...these, limit])
    const [count, last] = extent as unknown as [number, number | null]
    if (last === null) return []
    const from = last - after <= count * SKIPPED_AT_MOST ? BY_PLACE : BY_APP
    const rows = await this.prepared(
      `SELECT ${SCAN_COLUMNS} FROM ${from} WHERE app_id = ? AND position > ? AND \`partition\` = ? AND position <= ? ORDER BY position`,
      [...these, last],
    )
    return (rows as unknown as ScanRow[]).map(toScannedEvent)
  }

  async readAt(partition: number, positions: readonly number[]): Promise<StoredEvent[]> {
    const found: StoredEvent[] = []
    for (const some of inOrder(positions)) {
      const places = some.map(integer).join(', ')
      found.push(...(await this.select(`events WHERE \`partition\` = ? AND position IN (${places}) ORDER BY position`, [partition])))
    }
    return found
  }

  async positionAt(partition: number, recordedAtMs: number): Promise<number> {
    return lastRecorded((await this.head(partition)).position, recordedAtMs, async (position) => {
      const [row] = await this.rows(`SELECT recorded_at FROM events WHERE \`partition\` = ${integer(partition)} AND position = ${integer(position)}`)
      return (row as unknown as [number])[0]
    })
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
    const values = [uuidToBytes(appId), this.partitionOf(appId), ...(before === undefined ? [] : [before]), ...(type === undefined ? [] : [type])]
    return this.select(`${BY_APP} WHERE ${where.join(' AND ')} ORDER BY position DESC LIMIT ?`, [...values, limit])
  }

  async find(appId: string, eventId: string): Promise<StoredEvent | undefined> {
    const [event] = await this.select('events WHERE app_id = ? AND event_id = ?', [uuidToBytes(appId), uuidToBytes(eventId)])
    return event
  }

  async contentHash(appId: string, eventId: string): Promise<string | undefined> {
    const [row] = await this.rows(`SELECT seal, data FROM events WHERE ${byId(appId, eventId)}`)
    if (row === undefined) return undefined
    const [seal, data] = row as unknown as [Buffer, string | null]
    return Buffer.from(contentHash(seal, data)).toString('hex')
  }

  async heads(): Promise<Head[]> {
    return (await this.rows('SELECT `partition`, position, recorded_at, hash FROM heads ORDER BY `partition`')).map(toHead)
  }

  async head(partition: number): Promise<Head> {
    const sql = `SELECT \`partition\`, position, recorded_at, hash FROM heads WHERE \`partition\` = ${integer(partition)}`
    const [row] = await this.rows(sql)
    if (row === undefined) throw new RangeError(`there is no partition ${partition}`)
    return toHead(row)
  }

  async redact(appId: string, eventId: string, redacted: string | null): Promise<boolean> {
    const where = byId(appId, eventId)
    if (redacted !== null && redacted.includes('\0')) throw new EventRefused(eventId, 'redacted data has no NUL')
    return this.withConnection(async (connection) => {
      const sets = await query(connection, `START TRANSACTION;SELECT seal, data FROM events WHERE ${where} FOR UPDATE`)
      const [row] = sets[1] as unknown as [Buffer, string | null][]
      if (row !== undefined) {
        const kept = isRedacted(row[0]) ? row[0] : contentHash(row[0], row[1])
        await query(connection, `UPDATE events SET data = ${textOrNull(redacted)}, seal = ${bytes(kept)} WHERE ${where}`)
      }
      await query(connection, 'COMMIT')
      return row !== undefined
    })
  }

  classify(error: unknown): StoreFault {
    return error instanceof EventRefused ? 'deterministic' : classifyMysql(error)
  }

  onAppended(listener: (partition: number, position: number) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  close(): Promise<void> {
    this.listeners.clear()
    return this.pool.end()
  }

  protected async select(from: string, values: readonly Value[]): Promise<StoredEvent[]> {
    return ((await this.prepared(`SELECT ${READ_COLUMNS} FROM ${from}`, values)) as unknown as EventRow[]).map(toStoredEvent)
  }

  /** Prepared, because the binary protocol costs half of what the text protocol does at either end. */
  protected prepared(sql: string, values: readonly Value[]): Promise<Row> {
    return this.withConnection(async (connection) => {
      const [rows] = await connection.execute<Row>({ sql, values: values.map(toParameter), rowsAsArray: true, timeout: STATEMENT_MS })
      return rows
    })
  }

  private rows(sql: string): Promise<Row> {
    return this.withConnection(async (connection) => {
      const [rows] = await connection.query<Row>({ sql, rowsAsArray: true, timeout: STATEMENT_MS })
      return rows
    })
  }

  /** Appends of this process to one partition wait here and not at the head's lock, where each would hold a connection. */
  private async inTurn<T>(partition: number, work: () => Promise<T>): Promise<T> {
    const before = this.turns.get(partition)
    const turn = before === undefined ? work() : before.then(work, work)
    this.turns.set(partition, turn)
    try {
      return await turn
    } finally {
      if (this.turns.get(partition) === turn) this.turns.delete(partition)
    }
  }

  /** After an error the connection is used again only if it is proven to be in no transaction. */
  private async withConnection<T>(work: (connection: PoolConnection) => Promise<T>): Promise<T> {
    const connection = await this.pool.getConnection()
    try {
      const result = await work(connection)
      connection.release()
      return result
    } catch (error) {
      await connection.query({ sql: 'ROLLBACK', timeout: STATEMENT_MS }).then(
        () => connection.release(),
        () => connection.destroy(),
      )
      throw error
    }
  }
}

/** One result per statement: rows as arrays, or the header of a write. */
async function query(connection: PoolConnection, sql: string): Promise<Row[]> {
  const [sets] = await connection.query<Row[]>({ sql, rowsAsArray: true, timeout: STATEMENT_MS })
  return sets
}

/** As few packets as the server's bound allows: each is a round trip. */
function packets(statements: readonly string[], maxBytes: number): string[] {
  const joined: string[] = []
  let packet = ''
  let size = 0
  for (const statement of statements) {
    const statementBytes = Buffer.byteLength(statement) + 1
    if (packet !== '' && size + statementBytes > maxBytes) {
      joined.push(packet)
      packet = ''
      size = 0
    }
    packet += packet === '' ? statement : `;${statement}`
    size += statementBytes
  }
  joined.push(packet)
  return joined
}

function byId(appId: string, eventId: string): string {
  if (!isUuid(appId) || !isUuid(eventId)) throw new TypeError('not a UUID')
  return `app_id = ${uuid(appId)} AND event_id = ${uuid(eventId)}`
}

/** As an integer: by itself the driver sends every number as a DOUBLE, which MySQL takes for no LIMIT. */
export function toParameter(value: Value): unknown {
  return typeof value === 'number' ? mysql.TypedParameter.LONGLONG(value) : value
}

function toStoredEvent(row: EventRow): StoredEvent {
  return new StoredRow(row[2], 0, row[0], row[1], row[3], row[4], row[5], row[6], row[7], row[8], row[9], row[10])
}

function toScannedEvent([position, type, schemaVersion, occurredAt, recordedAt, data]: ScanRow): ScannedEvent {
  return { position, type, schemaVersion, occurredAt, recordedAt, data }
}

function toHead(row: RowDataPacket): Head {
  const [partition, position, recordedAt, hash] = row as unknown as [number, number, number, Buffer]
  return { partition, position, recordedAt, hash }
}
