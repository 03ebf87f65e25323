// Summaries of random histories, with corrections and retractions among them: the log says what the tables say, for any range,
// event and choice of bots, and as known at any earlier position what the tables said then.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { NO_DEFINITIONS } from '../../../src/events/definitions.ts'
import { uuidv7 } from '../../../src/kernel/ids.ts'
import { eventSummary as model } from '../../../src/projections/eventSummary/eventSummary.ts'
import { eventSummary } from '../../../src/queries/eventSummary.ts'
import { answerFromLog } from '../../../src/queries/fromLog/logAnswer.ts'
import { change, History, MINUTE, NAMES, type Place } from './changes.ts'
import { type Driver, type Engine, openDriver } from './driver.ts'

const story = fc.record({
  place: fc.constantFrom({ timezone: 'Asia/Kathmandu', around: Date.UTC(2024, 0, 1) }, { timezone: 'America/New_York', around: Date.UTC(2024, 10, 3, 6) }),
  changes: fc.array(change, { minLength: 10, maxLength: 30 }),
  questions: fc.array(
    fc.record({
      from: fc.integer({ min: -3_100, max: 1_500 }),
      length: fc.oneof(fc.integer({ min: 1, max: 6_000 }), fc.constant(40)),
      event: fc.option(fc.constantFrom(...NAMES), { nil: undefined }),
      bots: fc.constantFrom('include' as const, 'exclude' as const, 'only' as const),
    }),
    { minLength: 3, maxLength: 5 },
  ),
})
type Story = typeof story extends fc.Arbitrary<infer T> ? T : never

async function play(driver: Driver, { place, changes, questions }: Story): Promise<void> {
  const app: Place = { ...place, appId: uuidv7() }
  const other: Place = { ...place, appId: uuidv7() }
  await driver.register(app.appId, app.timezone)
  await driver.register(other.appId, other.timezone)
  const history = new History(driver, [app, other])
  const build = await driver.build(model)
  const said: { readonly upTo: number; readonly answers: unknown[] }[] = []
  for (const part of [changes.slice(0, 8), changes.slice(8)]) {
    await history.write(part)
    await driver.fold(model, build, 7)
    said.push({ upTo: (await driver.log.head(driver.log.partitionOf(app.appId))).position, answers: await fromTables(driver, app, build, questions) })
  }
  for (const { upTo, answers } of said) {
    for (const [at, { event, bots, ...bounds }] of questions.entries()) {
      const question = { name: 'event-summary', appId: app.appId, range: rangeOf(app, bounds), bots, event } as const
      const { result } = await answerFromLog(driver.log, question, { upTo })
      assert.deepEqual(result, answers[at])
    }
  }
}

async function fromTables({ database, log }: Driver, { appId, timezone, around }: Place, build: number, questions: Story['questions']): Promise<unknown[]> {
  const answers: unknown[] = []
  for (const { event, bots, ...bounds } of questions) {
    const snapshot = { log, build, appId, timezone, range: rangeOf({ timezone, around }, bounds), defined: NO_DEFINITIONS, position: 0, nowMs: 0 }
    answers.push(await database.snapshot((trx) => eventSummary.run({ ...snapshot, trx }, { bots, ...(event === undefined ? {} : { event }) })))
  }
  return answers
}

function rangeOf({ around, timezone }: Pick<Place, 'around' | 'timezone'>, { from, length }: { from: number; length: number }) {
  return { fromMs: around + from * MINUTE, toMs: around + (from + length) * MINUTE, timezone }
}

function suite(engine: Engine, numRuns: number): void {
  describe(`summaries from the log on ${engine}`, function () {
    this.timeout(120_000)
    let driver: Driver
    before(async () => {
      driver = await openDriver(engine)
    })
    after(() => driver.close())

    it('say what the tables say, now and as known earlier', async () => {
      await fc.assert(fc.asyncProperty(story, (one) => play(driver, one)), { numRuns })
    })
  })
}

suite('sqlite', 25)
suite('mysql', 8)
