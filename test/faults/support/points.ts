// A preload that ends or freezes the process it is loaded into at a named point, in the turn in which the point is reached. It
// watches what the program says to its stores and its clients, by patching the packages that say it; src/ knows nothing of it.
// Where nothing is armed, a patched function is the original one behind one comparison.
import cluster from 'node:cluster'
import { writeSync } from 'node:fs'
import { type IncomingMessage, Server, ServerResponse } from 'node:http'
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'
import { Redis } from 'ioredis'
import mysql from 'mysql2'
import type { ControlAnswer, ControlMessage, Point, PointAction } from './fault.ts'

/** What a process writes to standard error as it stands at a point. */
export interface PointReached {
  readonly message: 'reached'
  readonly point: Point
  /** The server's number of the connection. */
  readonly session?: number
  readonly fold?: { readonly projection: string; readonly build: number; readonly partition: number; readonly from: number; readonly to: number }
}

interface Connection {
  readonly threadId: number
}

type Callback = (error: unknown, ...results: unknown[]) => void
type Method = (this: object, ...args: unknown[]) => unknown

/** What a connection is in the middle of; known only of transactions that began while a point was armed. */
type Transaction = { readonly kind: 'append'; inserted: boolean } | { readonly kind: 'fold'; moved: readonly unknown[] | undefined }

const APPEND = /^START TRANSACTION;SELECT position, recorded_at, hash FROM heads WHERE `partition` = (\d+)/
const CONTROL = '0'
const MOVE = 'update `projection_checkpoints` set `position` = '
const COMMIT = ';COMMIT'
/** The beginning of a job's data (src/commands/appendJobs.ts), which nothing else in Redis begins with. */
const PACK = '{"v":1,"partition":'
const SIGNAL_MS = 200

/** What threads that are started later find armed: a rebuild has one of its own. */
const ARMED = 'recount: armed'

let armed: { readonly point: Point; readonly action: PointAction } | undefined
let transactions = new WeakMap<object, Transaction>()

// A cluster's children talk over their channel to their parent alone.
if (isMainThread && cluster.isPrimary) {
  patchMysql()
  patchRedis()
  patchHttp()
  process.on('message', (message: ControlMessage) => {
    if (message.kind === 'clock') return
    armed = message.kind === 'arm' ? message : undefined
    setEnvironmentData(ARMED, armed === undefined ? undefined : { point: armed.point, action: armed.action })
    transactions = new WeakMap()
    const answer: ControlAnswer = { kind: 'done', of: message.kind }
    process.send?.(answer)
  })
  // Listening alone would keep a process alive that has nothing else to do.
  process.channel?.unref()
} else if (!isMainThread) {
  armed = getEnvironmentData(ARMED) as typeof armed
  if (armed !== undefined) patchMysql()
}

function reached(point: Point, where: Omit<PointReached, 'message' | 'point'> = {}): void {
  if (armed?.point !== point) return
  const signal = armed.action === 'kill' ? 'SIGKILL' : 'SIGSTOP'
  armed = undefined
  const entry: PointReached = { message: 'reached', point, ...where }
  writeSync(2, `${JSON.stringify(entry)}\n`)
  process.kill(process.pid, signal)
  // Another thread may be the one that takes the signal, a moment later: until then this one does nothing.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SIGNAL_MS)
}

function patchMysql(): void {
  patch(mysql.Connection.prototype, 'query', (original) => {
    return function query(this: object, sql: unknown, values?: unknown, callback?: unknown): unknown {
      const text = armed === undefined ? undefined : typeof sql === 'string' ? sql : (sql as { readonly sql?: unknown }).sql
      const done = typeof values === 'function' ? values : callback
      if (typeof text !== 'string' || typeof done !== 'function') return original.call(this, sql, values, callback)
      const send: Send = (statement, then) => {
        const said = typeof sql === 'string' ? statement : { ...(sql as object), sql: statement }
        return typeof values === 'function' ? original.call(this, said, then) : original.call(this, said, values, then)
      }
      return follow(this as Connection, text, values, send, done as Callback)
    }
  })
}

type Send = (statement: string, then: Callback) => unknown

function follow(connection: Connection, text: string, values: unknown, send: Send, done: Callback): unknown {
  const partition = APPEND.exec(text)?.[1]
  if (partition !== undefined) {
    if (partition === CONTROL) transactions.delete(connection)
    else transactions.set(connection, { kind: 'append', inserted: false })
    return send(text, partition === CONTROL ? done : passing('append: after BEGIN', { session: connection.threadId }, done))
  }
  if (text === 'BEGIN;') {
    transactions.set(connection, { kind: 'fold', moved: undefined })
    return send(text, done)
  }
  const transaction = transactions.get(connection)
  if (transaction === undefined) return send(text, done)
  if (transaction.kind === 'append') return followAppend(transaction, connection.threadId, text, send, done)
  if (text.startsWith(MOVE)) transaction.moved = values as unknown[]
  return followFold(transaction, connection.threadId, text, send, done)
}

function followAppend(transaction: Transaction & { kind: 'append' }, session: number, text: string, send: Send, done: Callback): unknown {
  transaction.inserted ||= text.startsWith('INSERT INTO events ')
  const last = text === 'COMMIT' || text.endsWith(COMMIT)
  if (!last || !transaction.inserted) return send(text, done)
  if (armed?.point !== 'append: between INSERT and COMMIT') {
    return send(text, passing('append: after COMMIT, before the job is completed', { session }, done))
  }
  const commit = (): unknown => {
    reached('append: between INSERT and COMMIT', { session })
    return send('COMMIT', done)
  }
  if (text === 'COMMIT') return commit()
  // One packet holds both: what stands before COMMIT goes first and alone.
  return send(text.slice(0, -COMMIT.length), (error, ...results) => {
    if (error == null) commit()
    else done(error, ...results)
  })
}

function followFold({ moved }: Transaction & { kind: 'fold' }, session: number, text: string, send: Send, done: Callback): unknown {
  if (moved === undefined) return send(text, done)
  const [to, , projection, build, partition, from] = moved as [number, number, string, number, number, number]
  const where = { session, fold: { projection, build, partition, from, to } }
  if (text.startsWith(MOVE)) return send(text, passing('project: between read model and checkpoint', where, done))
  if (text !== 'COMMIT;') return send(text, done)
  reached('project: before COMMIT', where)
  return send(text, passing('project: after COMMIT', where, done))
}

/** The callback with the point before it, where the statement succeeded. */
function passing(point: Point, where: Omit<PointReached, 'message' | 'point'>, done: Callback): Callback {
  return (error, ...results) => {
    if (error == null) reached(point, where)
    done(error, ...results)
  }
}

interface Command {
  readonly args: readonly unknown[]
  readonly promise: Promise<unknown>
}

function patchRedis(): void {
  patch(Redis.prototype, 'sendCommand', (original) => {
    return function sendCommand(this: object, ...args: unknown[]): unknown {
      const { args: values, promise } = args[0] as Command
      if (armed?.point === 'api: after Redis, before the answer' && values.some((value) => typeof value === 'string' && value.startsWith(PACK))) {
        // Ahead of whoever waits for it, and told apart from a refusal.
        promise.then(
          () => reached('api: after Redis, before the answer'),
          () => undefined,
        )
      }
      return original.apply(this, args)
    }
  })
}

function patchHttp(): void {
  patch(Server.prototype, 'emit', (original) => {
    return function emit(this: object, ...args: unknown[]): unknown {
      if (args[0] === 'request' && armed?.point === 'api: in mid-request') watchBody(args[1] as IncomingMessage)
      return original.apply(this, args)
    }
  })
  patch(ServerResponse.prototype, 'writeHead', (original) => {
    return function writeHead(this: object, ...args: unknown[]): unknown {
      if (armed !== undefined && isCollect((this as ServerResponse).req)) {
        if (args[0] === 201) reached('api: stored, before the answer')
        if (args[0] === 202) reached('api: queued, before the answer')
      }
      return original.apply(this, args)
    }
  })
}

/** On the request itself, because the program's own class of requests takes bodies past the stream. */
function watchBody(message: IncomingMessage): void {
  if (!isCollect(message)) return
  const push = message.push.bind(message)
  let received = 0
  message.push = (chunk: Buffer | null, ...rest) => {
    received += chunk?.length ?? 0
    if (chunk !== null && received < Number(message.headers['content-length'])) reached('api: in mid-request')
    return push(chunk, ...rest)
  }
}

function isCollect({ method, url }: IncomingMessage): boolean {
  return method === 'POST' && url?.startsWith('/collect') === true
}

/** On the prototype itself, wherever it has the method from: others who inherit it are none of our business. */
function patch(prototype: object, name: string, make: (original: Method) => Method): void {
  const methods = prototype as Record<string, Method>
  methods[name] = make(methods[name]!)
}
