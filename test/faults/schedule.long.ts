// The whole fault suite: 200 faults and two million events over several worlds, each with a seed of its own. Run with
// `npm run test:faults -- --long`, for half an hour to an hour; FAULT_SEED repeats one of the worlds. Once a world has its events, few
// more are sent: the disk of its MariaDB is small.
import assert from 'node:assert/strict'
import { chosenFaults, wholeFrom } from './support/chosen.ts'
import { complaint, report } from './support/report.ts'
import { type Outcome, runSchedule } from './support/schedule.ts'

const SEEDS = process.env['FAULT_SEED'] === undefined ? [1, 2, 3, 4] : [wholeFrom('FAULT_SEED', 1)]
const FAULTS_A_WORLD = 52
const EVENTS_A_WORLD = 520_000

describe('the whole schedule of faults under load', function () {
  this.timeout(60 * 60_000)
  const outcomes: Outcome[] = []

  after(() => {
    if (outcomes.length > 0) process.stdout.write(`${report(outcomes)}\n`)
  })

  for (const seed of SEEDS) {
    it(`loses nothing and counts nothing twice (seed ${seed}, ${FAULTS_A_WORLD} faults)`, async () => {
      const outcome = await runSchedule({
        seed,
        // Every second one, so that two worlds between them inject all, and four all twice.
        faults: chosenFaults().filter((_, index, { length }) => length < 2 || index % 2 === seed % 2),
        count: FAULTS_A_WORLD,
        events: EVENTS_A_WORLD,
        twoAtOnce: 0.4,
        load: { enoughEvents: 1.05 * EVENTS_A_WORLD, clients: 8, apps: 10, eventsPerSecond: 1_300, singles: 0.3, batchMin: 50, batchMax: 500 },
      })
      outcomes.push(outcome)
      process.stdout.write(`${report([outcome])}\n`)
      assert.equal(complaint(outcome, 'npm run test:faults -- --long'), '')
    })
  }
})
