// Recount in the shapes in which its nearest peers were measured (Umami as a product, Emmett as an event store), beside their
// figures. What differs is told under the table; read it before a ratio.
// `npx tsx bench/peers.ts [--events 1000000] [--seconds 10] [--only umami,queries,emmett]`
import { randomUUID } from 'node:crypto'
import mysql, { type RowDataPacket } from 'mysql2/promise'
import { Redis } from 'ioredis'
import { openEventLog } from '../src/events/openEventLog.ts'
import { uuidv7 } from '../src/kernel/ids.ts'
import { openDatabase } from '../src/kernel/database/open.ts'
import { migrate } from '../src/kernel/migrations.ts'
import { LIMITS } from '../src/limits.ts'
import { send } from '../test/support/client.ts'
import { freshDatabase, startMariadb, startRedis } from '../test/support/servers.ts'
import { benchFlags, Rounds, runBench } from './support/benchRun.ts'
import { cpuMs, forgetPeakMemory, memoryMb } from './support/cpuTime.ts'
import { CAVEATS, EMMETT, type PeerFigure, UMAMI } from './support/peerFigures.ts'
import { recount } from './support/recountCommand.ts'
import type { Row } from './support/rows.ts'
import { picking } from './support/shopLoad.ts'
import { type Stack, startStack } from './support/stack.ts'
import { createObserver } from './support/sustained.ts'
import { bytesByTable } from './support/tableBytes.ts'
import { seedUmami, umamiLoad } from './support/umamiShape.ts'
import { refuseFailures, wrk } from './support/wrk.ts'

const flags = benchFlags({ events: { type: 'string' }, seconds: { type: 'string' }, only: { type: 'string', default: 'umami,queries,emmett' } })
const HISTORY_EVENTS = Number(flags.events ?? (flags.quick ? 20_000 : 1_000_000))
const REBUILT_EVENTS = flags.quick ? 10_000 : 75_000
const SECONDS = Number(flags.seconds ?? (flags.quick ? 3 : 10))
const ASKS = flags.quick ? 3 : 11
const ROUNDS = Number(flags.rounds)
const DAY_MS = 86_400_000
const APPENDERS = 16
const EVENT_BYTES = 250
const ONLY = flags.only.split(',')
const QUESTIONS: Readonly<Record<string, string>> = {
  overview: 'overview',
  'pageviews by day': 'timeseries?interval=day',
  'by page': 'breakdown?dimension=page&limit=500',
  'by referrer': 'breakdown?dimension=referrer',
  'by browser': 'breakdown?dimension=browser',
}
const MARIADB = ['--innodb-buffer-pool-size=1G', '--innodb-log-file-size=512M']

await runBench(flags, async () => {
  const measured = new Rounds()
  if (ONLY.includes('umami')) await umami(measured)
  if (ONLY.includes('queries')) await queries(measured)
  if (ONLY.includes('emmett')) {
    await emmettByHttp(measured)
    await emmettByLog(measured)
  }
  for (const caveat of CAVEATS) console.log(`- ${caveat}`)
  return rows(measured)
})

async function umami(measured: Rounds): Promise<void> {
  const stack = await startStack(['append', 'project'], { TRUST_PROXY: '1' })
  const [observer, database] = [await createObserver(stack), await mysql.createConnection(stack.databaseUrl)]
  const node = stack.processes
  const stores = [{ pid: stack.mariadbPid }, { pid: stack.redisPid }]
  const cpu = (parts: readonly { pid: number }[]): number => parts.reduce((sum, { pid }) => sum + cpuMs(pid), 0)
  const resident = (line: 'VmRSS' | 'VmHWM'): number => [...node, ...stores].reduce((sum, { pid }) => sum + memoryMb(pid, line), 0)
  const bytes = async (): Promise<number> => {
    const tables = await bytesByTable(async (sql) => (await database.query<RowDataPacket[]>(sql))[0])
    return tables.reduce((sum, { data, indexes }) => sum + data + indexes, 0)
  }
  const url = `${stack.api.url}/collect`
  try {
    await observer.settled()
    measured.add('memory at rest', resident('VmRSS'))
    await wrk({ ...umamiLoad(url, stack.app, 64), seconds: 2 })
    await observer.settled()
    const [eventsBefore, bytesBefore] = [await observer.committed(), await bytes()]
    for (const { pid } of [...node, ...stores]) forgetPeakMemory(pid)
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, connections, size] of [['single16', 16, 1], ['single64', 64, 1], ['batch', 16, 100]] as const) {
        const [from, nodeFrom, storesFrom, started] = [await observer.committed(), cpu(node), cpu(stores), performance.now()]
        const load = await wrk({ ...umamiLoad(url, stack.app, connections, size), seconds: SECONDS })
        // Peers answer when all is done; here the rest of the work is waited for and paid for too.
        await observer.settled()
        const events = (await observer.committed()) - from
        refuseFailures(load)
        measured.add(name, load.perSecond * size)
        measured.add(`${name} visible`, events / ((performance.now() - started) / 1_000))
        measured.add(`${name} p50`, load.p50Ms)
        measured.add(`${name} p99`, load.p99Ms)
        measured.add(`${name} node`, (cpu(node) - nodeFrom) / events)
        measured.add(`${name} stores`, (cpu(stores) - storesFrom) / events)
      }
    }
    measured.add('memory under load', resident('VmHWM'))
    measured.add('disk', ((await bytes()) - bytesBefore) / ((await observer.committed()) - eventsBefore))
  } finally {
    await database.end()
    await observer.close()
    await stack.stop()
  }
}

/** Over HTTP, each asked of an empty cache. */
async function queries(measured: Rounds): Promise<void> {
  const cacheServer = await startRedis()
  const stack = await startStack([], { CACHE_REDIS_URL: cacheServer.url })
  const cache = new Redis(cacheServer.url)
  const toMs = Math.floor(Date.now() / DAY_MS) * DAY_MS
  try {
    const database = await openDatabase(stack.databaseUrl)
    const log = await openEventLog(database, { url: stack.databaseUrl, partitions: LIMITS.partitionsDefault })
    await seedUmami(log, stack.app.appId, HISTORY_EVENTS, toMs)
    await log.close()
    await database.close()
    await recount<unknown>(stack.databaseUrl, ['replay', 'all'])
    for (const [name, path] of Object.entries(QUESTIONS)) {
      for (const days of [30, 90]) {
        for (let ask = -1; ask < ASKS; ask++) {
          await cache.flushall()
          const query = new URLSearchParams({ appId: stack.app.appId, from: new Date(toMs - days * DAY_MS).toISOString(), to: new Date(toMs).toISOString() })
          const started = performance.now()
          const answer = await send('GET', `${stack.api.url}/analytics/${path}${path.includes('?') ? '&' : '?'}${query.toString()}`, { token: stack.app.token })
          if (answer.status !== 200 || answer.body['from'] === 'log') throw new Error(`${name}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 300)}`)
          // The first meets connections that are not open yet.
          if (ask >= 0) measured.add(`${name}, ${days} days`, performance.now() - started)
        }
      }
    }
  } finally {
    cache.disconnect()
    await stack.stop()
    await cacheServer.kill9()
  }
}

async function emmettByHttp(measured: Rounds): Promise<void> {
  const stack: Stack = await startStack([])
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const size of [1, 10, 100]) {
        const bodies = Array.from({ length: 100 }, (_, body) => JSON.stringify(Array.from({ length: size }, (_event, n) => ({ event: `counted-${(body + n) % 10}`, anonymousId: `visitor-${body}`, metadata: { filling: 'x'.repeat(160) } }))))
        const load = await wrk({ url: `${stack.api.url}/collect?ack=stored`, token: stack.app.token, body: '', requests: picking(bodies), connections: APPENDERS, seconds: SECONDS })
        refuseFailures(load)
        measured.add(`http ${size}`, load.perSecond * size)
      }
    }
  } finally {
    await stack.stop()
  }
}

/** Appenders that each wait for their commit, in partitions of their own as far as there are any; then the rebuild. */
async function emmettByLog(measured: Rounds): Promise<void> {
  const mariadb = await startMariadb(MARIADB)
  const url = await freshDatabase(mariadb)
  const database = await openDatabase(url)
  await migrate(database)
  const log = await openEventLog(database, { url, partitions: LIMITS.partitionsDefault })
  const apps = Array.from({ length: APPENDERS }, () => uuidv7())
  const append = async (appId: string, size: number, at: number): Promise<void> => {
    const partition = log.partitionOf(appId)
    const events = Array.from({ length: size }, (_, n) => {
      const data = `{"event":"counted-${(at + n) % 10}","anonymousId":"visitor-${n}","metadata":{"filling":"`
      return { eventId: uuidv7(), appId, type: 'EventCollected', schemaVersion: 1, occurredAt: 1_764_000_000_000 + at * 1_000, data: `${data.padEnd(EVENT_BYTES - 3, 'x')}"}}`, meta: null }
    })
    await log.append({ partition, packs: [{ deliveryId: randomUUID(), partition, receivedAt: Date.now(), events, rejected: [] }] })
  }
  const appending = async (size: number, goesOn: (events: number) => boolean): Promise<number> => {
    let events = 0
    const started = performance.now()
    const appender = async (appId: string): Promise<void> => {
      for (let at = 0; goesOn(events); at++) {
        events += size
        await append(appId, size, at)
      }
    }
    await Promise.all(apps.map(appender))
    return events / ((performance.now() - started) / 1_000)
  }
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const size of [1, 10, 100]) {
        const until = performance.now() + SECONDS * 1_000
        measured.add(`log ${size}`, await appending(size, () => performance.now() < until))
      }
    }
    const rebuilt = await freshDatabase(mariadb)
    await seeded(rebuilt)
    for (let round = 0; round < ROUNDS; round++) measured.add('rebuild', (await recount<{ eventsPerSecond: number }>(rebuilt, ['replay', 'eventSummary'])).result.eventsPerSecond)
  } finally {
    await log.close()
    await database.close()
    await mariadb.kill9()
  }
}

async function seeded(url: string): Promise<void> {
  const database = await openDatabase(url)
  await migrate(database)
  const log = await openEventLog(database, { url, partitions: LIMITS.partitionsDefault })
  await seedUmami(log, uuidv7(), REBUILT_EVENTS, Math.floor(Date.now() / DAY_MS) * DAY_MS)
  await log.close()
  await database.close()
}

function rows(measured: Rounds): Row[] {
  const beside = (name: string, unit: string, better: Row['better'], of: string, peer: PeerFigure): Row => {
    const rounds = measured.of(of)
    return { name: `peers: ${name}`, unit, better, rounds, baseline: { name: peer.name, rounds: rounds.map(() => peer.value) }, note: `peer ${peer.range}` }
  }
  const found: Row[] = []
  if (ONLY.includes('umami')) {
    for (const [name, of] of [['one event a request, 16 connections', 'single16'], ['one event a request, 64 connections', 'single64']] as const) {
      found.push(
        beside(`${name}, acknowledged`, 'events/s', 'higher', of, UMAMI[of]),
        beside(`${name}, until all can be read`, 'events/s', 'higher', `${of} visible`, UMAMI[of]),
        beside(`${name}, p50`, 'ms', 'lower', `${of} p50`, UMAMI.p50),
        beside(`${name}, p99`, 'ms', 'lower', `${of} p99`, UMAMI.p99),
        beside(`${name}, processor time of Node`, 'ms/event', 'lower', `${of} node`, UMAMI.nodeCpu),
        beside(`${name}, processor time of stores`, 'ms/event', 'lower', `${of} stores`, UMAMI.databaseCpu),
      )
    }
    found.push(
      beside('100 a request, acknowledged', 'events/s', 'higher', 'batch', UMAMI.batch),
      beside('100 a request, until all can be read', 'events/s', 'higher', 'batch visible', UMAMI.batch),
      beside('100 a request, p50', 'ms', 'lower', 'batch p50', UMAMI.batchP50),
      beside('memory at rest, all processes and stores', 'MB', 'lower', 'memory at rest', UMAMI.memoryAtRest),
      beside('memory under load, all processes and stores', 'MB', 'lower', 'memory under load', UMAMI.memoryUnderLoad),
      beside('disk, log and read models', 'bytes/event', 'lower', 'disk', UMAMI.disk),
    )
  }
  if (ONLY.includes('queries')) {
    for (const [name, peer] of Object.entries(UMAMI.queries)) found.push({ ...beside(`query ${name}, no cache`, 'ms', 'lower', name, peer), note: `peer ${peer.range}; ${HISTORY_EVENTS.toLocaleString('en')} events here, 1,000,000 there` })
  }
  if (ONLY.includes('emmett')) {
    for (const size of [1, 10, 100] as const) {
      found.push(beside(`append ${size} a call, log`, 'events/s', 'higher', `log ${size}`, EMMETT.append[size]))
      found.push(beside(`append ${size} a call, by HTTP`, 'events/s', 'higher', `http ${size}`, EMMETT.append[size]))
    }
    found.push({ ...beside('rebuild of eventSummary', 'events/s', 'higher', 'rebuild', EMMETT.rebuild), note: `peer ${EMMETT.rebuild.range}; ${REBUILT_EVENTS.toLocaleString('en')} events` })
  }
  return found
}
