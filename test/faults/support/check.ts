// After a run: waits until everything sent has come to rest, sees what Recount holds, and reconciles it with the books. The
// log is read past the program; what the program serves is asked over HTTP and by `recount verify`, as an operator would.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { readQuarantineCounts, sumLedger } from '../../../src/events/ledger.ts'
import type { EventLog } from '../../../src/events/eventLog.ts'
import { openEventLog } from '../../../src/events/openEventLog.ts'
import type { Database } from '../../../src/kernel/database.ts'
import { openDatabase } from '../../../src/kernel/database/open.ts'
import { send } from '../../support/client.ts'
import { eventually } from '../../support/eventually.ts'
import { PROGRAM } from '../../support/processes.ts'
import { inTime } from './inTime.ts'
import type { AppBooks } from './ledger.ts'
import { type Findings, type LedgerSums, type Logged, reconcile, type Seen, type SummaryAnswer, type Verification } from './reconcile.ts'
import type { RunningWorld } from './world.ts'

/** For everything to come to rest, in all. */
const REST_MS = 180_000
/** For one question. */
const LOOK_MS = 20_000
const PAGE_EVENTS = 5_000
const execute = promisify(execFile)

/** The load must have stopped. */
export async function check(world: RunningWorld, books: readonly AppBooks[]): Promise<Findings> {
  const database = await openDatabase(world.databaseUrl)
  const log = await openEventLog(database, { url: world.databaseUrl, partitions: 1 })
  const redis = new Redis(world.redisUrl)
  const deadline = performance.now() + REST_MS
  const resting = <T>(condition: () => Promise<T>): Promise<NonNullable<T>> => {
    const look = (): Promise<T> => inTime(condition(), LOOK_MS, `no answer in ${LOOK_MS} ms`)
    return eventually(look, { timeoutMs: Math.max(0, deadline - performance.now()), everyMs: 100 })
  }
  try {
    const unwell = [...world.crashes()]
    const note = (error: unknown): void => void unwell.push(error instanceof Error ? error.message : String(error))
    for (const { name, url, running } of world.processes()) {
      if (!running) unwell.push(`${name} does not run`)
      else await resting(async () => (await fetch(`${url}/health/ready`)).status === 200).catch((error: unknown) => note(new Error(`${name} is not ready`, { cause: error })))
    }
    await resting(() => drained(redis, log)).catch(note)
    world.say('   the queue is empty')
    const token = await resting(() => signIn(world))
    const ledgers = new Map<string, LedgerSums>()
    for (const { appId } of books) ledgers.set(appId, await ledgerOf(database, appId))
    const answers = new Map<string, SummaryAnswer[]>()
    for (const { appId } of books) answers.set(appId, await countedAnswers(world, token, appId, async (ask) => resting(async () => (await ask()).count === ledgers.get(appId)!.stored)))
    world.say('   the read models have everything')
    const heads = new Map((await log.heads()).map(({ partition, position }) => [partition, position]))
    const verification = await verify(world)
    world.say('   recount verify has ended')
    const seen: Seen = { unwell, heads, verification, ledgers, answers, logged: () => wholeLog(log, [...heads.keys()]) }
    return await reconcile(books, seen)
  } finally {
    redis.disconnect()
    await log.close()
    await database.close()
  }
}

/** True once nothing waits in the queue or is at work, and nothing was given up. */
async function drained(redis: Redis, { partitions }: EventLog): Promise<true> {
  const keys = Array.from({ length: partitions }, (_, index) => `{recount:p${index + 1}}:append`)
  const lengths = async (names: readonly string[], count: 'llen' | 'zcard'): Promise<number> => {
    const counts = await Promise.all(keys.flatMap((key) => names.map((name) => redis[count](`${key}:${name}`))))
    return counts.reduce((sum, length) => sum + length, 0)
  }
  const waiting = await lengths(['wait', 'active', 'paused'], 'llen')
  const aside = await lengths(['failed', 'delayed', 'prioritized'], 'zcard')
  if (waiting + aside > 0) throw new Error(`${waiting} jobs are in the queue and ${aside} are put aside`)
  return true
}

async function signIn(world: RunningWorld): Promise<string | undefined> {
  const { body } = await send('POST', `${world.process('api-1').url}/auth/local`, { body: { code: world.ownerCode } })
  return body['token'] as string | undefined
}

async function ledgerOf(database: Database, appId: string): Promise<LedgerSums> {
  const { stored, duplicate, rejected, recorded } = await sumLedger(database.knex, appId)
  const counts = await readQuarantineCounts(database.knex, appId)
  return { stored, duplicate, rejected, recorded, quarantined: counts.reduce((sum, { rejected }) => sum + rejected, 0) }
}

/** As each API process answers once it counts what is stored, or after so long. */
async function countedAnswers(
  world: RunningWorld,
  token: string,
  appId: string,
  settled: (ask: () => Promise<SummaryAnswer>) => Promise<unknown>,
): Promise<SummaryAnswer[]> {
  return Promise.all(
    world.processes('api').map(async ({ url }) => {
      const ask = async (): Promise<SummaryAnswer> => {
        const { status, body } = await send('GET', `${url}/analytics/event-summary?appId=${appId}&period=all`, { token })
        if (status !== 200) throw new Error(`${url} answers ${status}`)
        return body as unknown as SummaryAnswer
      }
      await settled(ask).catch(() => undefined)
      return ask()
    }),
  )
}

async function verify({ env, databaseUrl }: RunningWorld): Promise<Verification> {
  const environment = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env, DATABASE_URL: databaseUrl }
  const options = { env: environment, maxBuffer: 64_000_000 }
  // It ends with 1 where it found something, and says what all the same.
  const { stdout } = await execute(process.execPath, [...PROGRAM, 'verify', '--json'], options).catch((error: unknown) => error as { stdout: string; stderr: string })
  const line = stdout.split('\n').find((text) => text.startsWith('{'))
  if (line === undefined) throw new Error(`recount verify said nothing: ${stdout}`)
  return JSON.parse(line) as Verification
}

async function* wholeLog(log: EventLog, partitions: readonly number[]): AsyncGenerator<readonly Logged[], void> {
  for (const partition of partitions) {
    for (let after = 0; ; ) {
      const page = await log.read(partition, after, PAGE_EVENTS)
      if (page.length === 0) break
      yield page
      after = page.at(-1)!.position
    }
  }
}
