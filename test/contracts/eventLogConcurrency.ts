// Many appenders at once, in one process and in several, and a reader that follows: it must never miss or repeat an event.
// The same race over engines without the head lock shows that the race would tell.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { EventLog } from '../../src/events/eventLog.ts'
import { verifyChain } from '../../src/events/verifyChain.ts'
import { retry } from '../../src/kernel/retry.ts'
import { reserving, unlocked } from './brokenEventLogs.ts'
import { append, neighbourOf, newEvent, openStore, readAll, type Store } from './logFixtures.ts'

const execute = promisify(execFile)

export function eventLogConcurrency(engine: string, freshUrl: () => Promise<string>): void {
  describe(`event log on ${engine}, many at once`, function () {
    this.timeout(120_000)
    let store: Store

    beforeEach(async () => {
      store = await openStore(await freshUrl())
    })
    afterEach(() => store.close())

    it('a reader that follows many appenders misses nothing and sees nothing twice', async () => {
      const stores = await Promise.all([0, 1, 2, 3].map(() => openStore(store.url)))
      try {
        assert.deepEqual(await race(store.log, stores.map(({ log }) => log)), [])
        const partition = store.log.partitionOf(RACE_APP)
        assert.deepEqual(await verifyChain(store.database, partition), { events: (await store.log.head(partition)).position, redacted: 0 })
      } finally {
        await Promise.all(stores.map((each) => each.close()))
      }
    })

    it('that race notices when the head is read without its lock', async () => {
      const broken = await Promise.all([0, 1, 2, 3].map(() => unlocked(store)))
      try {
        assert.notDeepEqual(await race(store.log, broken), [])
      } finally {
        await Promise.all(broken.map((log) => log.close()))
      }
    })

    it('that race notices when positions are handed out before commits', async () => {
      const other = await openStore(store.url)
      const slow = gate()
      const reached = gate()
      const late = reserving(store, async () => {
        reached.open()
        await slow.passed
      })
      const early = reserving(other, () => Promise.resolve())
      try {
        const [a, b] = [newEvent(RACE_APP), newEvent(RACE_APP)]
        const first = append(late, [a])
        await reached.passed
        await append(early, [b])
        const seen = await follow(store.log, () => true)
        slow.open()
        await first
        seen.push(...(await follow(store.log, () => true, seen.length === 0 ? 0 : 2)))
        assert.notDeepEqual(faultsOf(seen, [a.eventId, b.eventId]), [])
      } finally {
        await late.close()
        await early.close()
        await other.close()
      }
    })

    it('several processes that append the same events store each of them once', async () => {
      const ranges = [[0, 140], [70, 210], [0, 210]] as const
      const running = Promise.all(ranges.map(([from, to]) => appendInProcess(store.url, RACE_APP, from, to)))
      let done = false
      void running.then(() => (done = true), () => (done = true))
      const seen = await follow(store.log, () => done)
      const counts = await running
      assert.equal(counts.reduce((sum, { stored }) => sum + stored, 0), 210)
      assert.equal(counts.reduce((sum, { duplicate }) => sum + duplicate, 0), 280)
      const stored = await store.log.readApp(RACE_APP, 0, 1_000)
      assert.equal(stored.length, 210)
      assert.deepEqual(faultsOf(seen, stored.map(({ eventId }) => eventId)), [])
    })

    it('transactions of knex and appends in one process take turns', async () => {
      const appId = randomUUID()
      const inside = gate()
      const held = gate()
      const turn = store.database.knex.transaction(async (trx) => {
        await trx('log_settings').insert({ name: 'turn', value: '1' })
        inside.open()
        await held.passed
        await trx('log_settings').where({ name: 'turn' }).update({ value: '2' })
        throw new Error('rolled back')
      })
      await inside.passed
      const appended = append(store.log, [newEvent(appId)])
      for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve))
      held.open()
      await assert.rejects(turn, /rolled back/)
      assert.equal((await appended)[0]!.duplicate, false)
      assert.equal((await store.log.readApp(appId, 0, 10)).length, 1)
      assert.equal(await store.database.knex('log_settings').where({ name: 'turn' }).first(), undefined)
    })

    it('a writer that holds the lock and then hangs stops a partition for seconds at most, and never the event loop', async () => {
      const other = await openStore(store.url)
      const partition = store.log.partitionOf(RACE_APP)
      const held = gate()
      const inside = gate()
      const hung = other.database.knex.transaction(async (trx) => {
        await trx('heads').where({ partition }).update({ recorded_at: 0 })
        inside.open()
        await held.passed
      })
      const outcome = hung.then(() => 'committed', () => 'ended')
      await inside.passed
      let stalledMs = 0
      let last = performance.now()
      const watch = setInterval(() => {
        stalledMs = Math.max(stalledMs, performance.now() - last)
        last = performance.now()
      }, 5)
      // The server ends a silent session; SQLite's lock ends with its process, so here it is let go of.
      const release = setTimeout(() => held.open(), engine === 'SQLite' ? 300 : 30_000)
      const retryable = (error: unknown): boolean => store.log.classify(error) === 'transient'
      const [appended] = await retry(() => append(store.log, [newEvent(RACE_APP)]), { retryable, maxTries: 5 })
      clearInterval(watch)
      clearTimeout(release)
      held.open()
      assert.equal(appended!.position, 1)
      assert.equal(await outcome, engine === 'SQLite' ? 'committed' : 'ended')
      if (engine === 'SQLite') assert.ok(stalledMs < 200, `the event loop stood still for ${stalledMs} ms`)
      await other.close()
    })
  })
}

const RACE_APP = '0190c0de-0000-7000-8000-00000000cafe'
const APPENDS_EACH = 25

/** Appends to one partition through all of the logs at once while one reader follows; answers what went wrong. */
async function race(reader: EventLog, logs: readonly EventLog[]): Promise<string[]> {
  const faults: string[] = []
  const stored: string[] = []
  let running = true
  const other = neighbourOf(reader, RACE_APP)
  const appending = Promise.all(
    logs.map(async (log) => {
      for (let index = 0; index < APPENDS_EACH; index++) {
        const events = Array.from({ length: 1 + (index % 4) }, () => newEvent(index % 3 === 0 ? other : RACE_APP))
        try {
          await append(log, events)
          stored.push(...events.map(({ eventId }) => eventId))
        } catch (error) {
          faults.push(String(error))
        }
      }
    }),
  ).finally(() => (running = false))
  const seen = await follow(reader, () => !running)
  await appending
  return [...faults, ...faultsOf(seen, stored), ...faultsOf(await readAll(reader, reader.partitionOf(RACE_APP)), stored)]
}

/** Reads after what it has read, until told that nothing more comes and nothing does. */
async function follow(log: EventLog, ended: () => boolean, after = 0): Promise<{ position: number; eventId: string }[]> {
  const seen: { position: number; eventId: string }[] = []
  for (;;) {
    const last = ended()
    const events = await log.read(log.partitionOf(RACE_APP), seen.at(-1)?.position ?? after, 10)
    seen.push(...events.map(({ position, eventId }) => ({ position, eventId })))
    if (last && events.length === 0) return seen
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function faultsOf(seen: readonly { position: number; eventId: string }[], stored: readonly string[]): string[] {
  const faults = seen.flatMap(({ position }, index) => (position === index + 1 ? [] : [`position ${position} came at ${index + 1}`]))
  const ids = new Set(seen.map(({ eventId }) => eventId))
  if (ids.size !== seen.length) faults.push('an event came twice')
  return [...faults, ...stored.filter((eventId) => !ids.has(eventId)).map((eventId) => `event ${eventId} was missed`)]
}

async function appendInProcess(url: string, appId: string, from: number, to: number): Promise<{ stored: number; duplicate: number }> {
  const script = join(import.meta.dirname, 'appender.ts')
  const { stdout } = await execute(process.execPath, ['--import', 'tsx', script, url, appId, String(from), String(to)])
  return JSON.parse(stdout) as { stored: number; duplicate: number }
}

function gate(): { open: () => void; passed: Promise<void> } {
  let open = (): void => undefined
  const passed = new Promise<void>((resolve) => (open = resolve))
  return { open: () => open(), passed }
}
