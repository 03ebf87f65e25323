// A preload that ends or freezes the process it is loaded into at a named point, in the turn in which the point is reached. It
// watches what the program says to its stores and its clients, by patching the packages that say it; src/ knows nothing of it.
// Where nothing is armed, a patched function is the original one behind one comparison.
import { IncomingMessage, ServerResponse } from 'node:http'
import { isMainThread } from 'node:worker_threads'
import { Redis } from 'ioredis'
import mysql from 'mysql2'
import type { ControlAnswer, ControlMessage, Point, PointAction } from './fault.ts'

type Callback = (error: unknown, ...results: unknown[]) => void
type Method = (this: object, ...args: unknown[]) => unknown

/** What a connection is in the middle of; known only of transactions that began while a point was armed. */
type Transaction = { readonly kind: 'append'; inserted: boolean } | { readonly kind: 'fold'; moved: boolean; written: boolean }

const APPEND = /^START TRANSACTION;SELECT position, recorded_at, hash FROM heads WHERE `partition` = (\d+)/
const CONTROL = '0'
const MOVE = 'update `projection_checkpoints` set `position` = '
const COMMIT = ';COMMIT'
/** The beginning of a job's data (src/commands/appendJobs.ts), which nothing else in Redis begins with. */
const PACK = '{"v":1,"partition":'
const SIGNAL_MS = 200

let armed: { readonly point: Point; readonly action: PointAction } | undefined
let transactions = new WeakMap<object, Transaction>()

if (isMainThread) {
  patchMysql()
  patchRedis()
  patchHttp()
  process.on('message', (message: ControlMessage) => {
    if (message.kind === 'clock') return
    armed = message.kind === 'arm' ? message : undefined
    transactions = new WeakMap()
    const answer: ControlAnswer = { kind: 'done', of: message.kind }
    process.send?.(answer)
  })
  // Listening alone would keep a process alive that has nothing else to do.
  process.channel?.unref()
}

function reached(point: Point): void {
  if (armed?.point !== point) return
  const signal = armed.action === 'kill' ? 'SIGKILL' : 'SIGSTOP'
  armed = undefined
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
      return follow(this, text, send, done as Callback)
    }
  })
}

type Send = (statement: string, then: Callback) => unknown

function follow(connection: object, text: string, send: Send, done: Callback): unknown {
  const partition = APPEND.exec(text)?.[1]
  if (partition !== undefined) {
    if (partition === CONTROL) transactions.delete(connection)
    else transactions.set(connection, { kind: 'append', inserted: false })
    return send(text, partition === CONTROL ? done : passing('append: after BEGIN', done))
  }
  if (text === 'BEGIN;') {
    transactions.set(connection, { kind: 'fold', moved: false, written: false })
    return send(text, done)
  }
  const transaction = transactions.get(connection)
  if (transaction === undefined) return send(text, done)
  return transaction.kind === 'append' ? followAppend(transaction, text, send, done) : followFold(transaction, text, send, done)
}

function followAppend(transaction: Transaction & { kind: 'append' }, text: string, send: Send, done: Callback): unknown {
  transaction.inserted ||= text.startsWith('INSERT INTO events ')
  const last = text === 'COMMIT' || text.endsWith(COMMIT)
  if (!last || !transaction.inserted) return send(text, done)
  if (armed?.point !== 'append: between INSERT and COMMIT') {
    return send(text, passing('append: after COMMIT, before the job is completed', done))
  }
  const commit = (): unknown => {
    reached('append: between INSERT and COMMIT')
    return send('COMMIT', done)
  }
  if (text === 'COMMIT') return commit()
  // One packet holds both: what stands before COMMIT goes first and alone.
  return send(text.slice(0, -COMMIT.length), (error, ...results) => {
    if (error == null) commit()
    else done(error, ...results)
  })
}

function followFold(transaction: Transaction & { kind: 'fold' }, text: string, send: Send, done: Callback): unknown {
  if (text.startsWith(MOVE)) {
    transaction.moved = true
    return send(text, passing('project: between read model and checkpoint', done))
  }
  if (!transaction.moved) return send(text, done)
  if (text !== 'COMMIT;') {
    transaction.written = true
    return send(text, done)
  }
  if (!transaction.written) return send(text, done)
  reached('project: before COMMIT')
  return send(text, passing('project: after COMMIT', done))
}

/** The callback with the point before it, where the statement succeeded. */
function passing(point: Point, done: Callback): Callback {
  return (error, ...results) => {
    if (error == null) reached(point)
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
  patch(IncomingMessage.prototype, 'push', (original) => {
    return function push(this: object, ...args: unknown[]): unknown {
      const message = this as IncomingMessage & { received?: number }
      const chunk = args[0] as Buffer | null
      if (armed?.point === 'api: in mid-request' && isCollect(message) && chunk !== null) {
        message.received = (message.received ?? 0) + chunk.length
        if (message.received < Number(message.headers['content-length'])) reached('api: in mid-request')
      }
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

function isCollect({ method, url }: IncomingMessage): boolean {
  return method === 'POST' && url?.startsWith('/collect') === true
}

/** On the prototype itself, wherever it has the method from: others who inherit it are none of our business. */
function patch(prototype: object, name: string, make: (original: Method) => Method): void {
  const methods = prototype as Record<string, Method>
  methods[name] = make(methods[name]!)
}
