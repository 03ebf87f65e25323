// The thread that answers from the log says what this thread would say, on either engine, within its bounds; and it lives on
// after an answer that was given up.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { openEventLog } from '../../../src/events/openEventLog.ts'
import type { EventLog } from '../../../src/events/eventLog.ts'
import { openDatabase } from '../../../src/kernel/database/open.ts'
import type { Database } from '../../../src/kernel/database.ts'
import { uuidv7 } from '../../../src/kernel/ids.ts'
import { silentLogger } from '../../../src/kernel/logger.ts'
import { migrate } from '../../../src/kernel/migrations.ts'
import { LogTooLong } from '../../../src/queries/fromLog/logSource.ts'
import { answersHere, type LogAnswers, LogTooSlow } from '../../../src/queries/fromLog/logTask.ts'
import { createLogThread, type LogBounds } from '../../../src/queries/logThread.ts'
import type { StatsQuestion } from '../../../src/queries/stats.ts'
import { eventually } from '../../support/eventually.ts'
import { scratchDirectory } from '../../support/scratch.ts'
import { freshDatabase } from '../../support/servers.ts'

const NOW = Date.parse('2026-11-22T12:00:00Z')
const EVENTS = 6_000

for (const engine of ['sqlite', 'mysql'] as const) {
  describe(`the thread that answers from the log: ${engine}`, function () {
    this.timeout(60_000)
    const appId = uuidv7()
    const question: StatsQuestion = { name: 'overview', appId, bots: 'include', range: { fromMs: NOW - 86_400_000, toMs: NOW + 86_400_000, timezone: 'UTC' } }
    const task = { question, upTo: EVENTS }
    let url: string
    let database: Database
    let log: EventLog & { close(): Promise<void> }
    let open: LogAnswers[]

    const thread = (bounds: Partial<LogBounds> = {}): LogAnswers => {
      const made = createLogThread({ url, partitions: log.partitions, logger: silentLogger, bounds })
      open.push(made)
      return made
    }

    before(async () => {
      url = engine === 'sqlite' ? `sqlite:${scratchDirectory('log-thread')}/recount.db` : await freshDatabase()
      database = await openDatabase(url)
      await migrate(database)
      log = await openEventLog(database, { url, partitions: 1 })
      for (let first = 0; first < EVENTS; first += 500) {
        const events = Array.from({ length: 500 }, (_, at) => ({
          ...{ eventId: uuidv7(), appId, type: 'EventCollected', schemaVersion: 1, occurredAt: NOW + first + at, meta: null },
          data: JSON.stringify({ event: 'click', userId: `user-${at % 50}` }),
        }))
        await log.append({ partition: 1, packs: [{ deliveryId: uuidv7(), partition: 1, receivedAt: NOW, events, rejected: [] }] })
      }
    })
    after(async () => {
      await log.close()
      await database.close()
    })
    beforeEach(() => {
      open = []
    })
    afterEach(() => Promise.all(open.map((one) => one.close())))

    it('says what this thread says, and how far it is', async () => {
      const seen: number[] = []
      const there = await thread().ask('answer', task, { onProgress: (scanned) => seen.push(scanned) })
      assert.deepEqual(there, await answersHere(log).ask('answer', task))
      assert.deepEqual([there.scanned, (there.result as { visitors: number }).visitors], [EVENTS, 50])
      assert.ok(seen.length > 0 && seen.every((scanned) => scanned > 0 && scanned <= EVENTS), String(seen))
      assert.equal((await thread().ask('list', { ...task, part: { measure: 'events' }, after: 10, limit: 3 })).map(({ position }) => position).join(), '11,12,13')
    })

    it('takes so many and no more, and gives up what takes too long, is too long, or is not wanted any more', async () => {
      const narrow = thread({ queued: 1 })
      const outcomes = await Promise.allSettled([1, 2, 3].map(() => narrow.ask('answer', task)))
      assert.deepEqual(outcomes.map(({ status }) => status), ['fulfilled', 'fulfilled', 'rejected'])
      assert.equal(((outcomes[2] as PromiseRejectedResult).reason as { code: string }).code, 'overloaded')
      await assert.rejects(thread({ answerMs: 1 }).ask('answer', task), LogTooSlow)
      await assert.rejects(thread({ maxEvents: EVENTS - 1 }).ask('answer', task), LogTooLong)
      const controller = new AbortController()
      const left = narrow.ask('answer', task, { signal: controller.signal, onProgress: () => controller.abort(new Error('gone')) })
      const waiting = narrow.ask('answer', task)
      await assert.rejects(left, /gone/)
      assert.equal((await waiting).scanned, EVENTS)
    })

    it('ends when it rests, and starts again when it is needed', async function () {
      if (process.platform !== 'linux') this.skip()
      const threads = (): number => readdirSync('/proc/self/task').length
      const resting = thread({ idleMs: 10 })
      const before = threads()
      await resting.ask('answer', task)
      await eventually(() => threads() <= before)
      assert.equal((await resting.ask('answer', task)).scanned, EVENTS)
    })

    it('refuses what waits when it closes', async () => {
      const closing = thread()
      const asked = Promise.allSettled([closing.ask('answer', task), closing.ask('answer', task)])
      await closing.close()
      assert.deepEqual((await asked).map(({ status }) => status), ['rejected', 'rejected'])
    })
  })
}
