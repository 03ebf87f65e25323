// The log on MySQL and MariaDB: the only SQL of this engine on the log's tables. The head lock is a row lock on the
// partition's head; side by side with sqliteEventLog.ts, which does the same steps in the same order.
import type { Pool, PoolConnection, RowDataPacket } from 'mysql2/promise'
import type { Clock } from '../kernel/clock.ts'
import { classifyMysql, isMysqlRepeat } from '../kernel/database/faults.ts'
import { isUuid } from '../kernel/ids.ts'
import { textKey } from '../kernel/hashing.ts'
import { LIMITS } from '../limits.ts'
import { checkAppend, EventRefused, type Plan, planAppend } from './appendPlan.ts'
import type { Append, Appended, BrowseOptions, EventLog, Head, StoredEvent, StoreFault } from './eventLog.ts'
import { knownFrom, questions, writeSql } from './mysqlAppend.ts'
import { bytes, integer, text, textOrNull, uuid } from './mysqlText.ts'
import { partitionOf } from './partitioning.ts'
import { Repeats } from './repeats.ts'
import { contentHash, isRedacted } from './sealing.ts'
import { EVENT_COLUMNS, type EventRow, toStoredEvents } from './storedRow.ts'

const BY_APP = 'events FORCE INDEX (events_app_position)'
/** Beyond the server's own timeouts: it is frozen or unreachable, and the connection is worth nothing. */
const STATEMENT_MS = 3 * LIMITS.sessionTimeoutSeconds * 1_000

type Row = RowDataPacket[]

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
    const where = `\`partition\` = ${integer(partition)} AND position > ${integer(after)}`
    return this.select(`events WHERE ${where} ORDER BY position LIMIT ${integer(limit)}`)
  }

  readApp(appId: string, after: number, limit: number): Promise<StoredEvent[]> {
    const where = `${this.ofApp(appId)} AND position > ${integer(after)}`
    return this.select(`${BY_APP} WHERE ${where} ORDER BY position LIMIT ${integer(limit)}`)
  }

  async readStream(partition: number, stream: string): Promise<StoredEvent[]> {
    const of = `\`partition\` = ${integer(partition)}`
    const places = `SELECT position FROM streams WHERE ${of} AND stream_key = ${bytes(textKey(stream))}`
    const events = await this.select(`events WHERE ${of} AND position IN (${places}) ORDER BY position`)
    return events.filter((event) => event.stream === stream)
  }

  browse(appId: string, { before, limit, type }: BrowseOptions): Promise<StoredEvent[]> {
    const where = [
      this.ofApp(appId),
      ...(before === undefined ? [] : [`position < ${integer(before)}`]),
      ...(type === undefined ? [] : [`type = ${text(type)}`]),
    ]
    return this.select(`${BY_APP} WHERE ${where.join(' AND ')} ORDER BY position DESC LIMIT ${integer(limit)}`)
  }

  async find(appId: string, eventId: string): Promise<StoredEvent | undefined> {
    const [event] = await this.select(`events WHERE ${byId(appId, eventId)}`)
    return event
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

  private ofApp(appId: string): string {
    return `app_id = ${checkedUuid(appId)} AND \`partition\` = ${integer(this.partitionOf(appId))}`
  }

  protected async select(from: string): Promise<StoredEvent[]> {
    return toStoredEvents((await this.rows(`SELECT ${EVENT_COLUMNS} FROM ${from}`)) as unknown as EventRow[])
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
  return `app_id = ${checkedUuid(appId)} AND event_id = ${checkedUuid(eventId)}`
}

function checkedUuid(id: string): string {
  if (!isUuid(id)) throw new TypeError('not a UUID')
  return uuid(id)
}

function toHead(row: RowDataPacket): Head {
  const [partition, position, recordedAt, hash] = row as unknown as [number, number, number, Buffer]
  return { partition, position, recordedAt, hash }
}
