// The short form of the fault suite: faults drawn from a fixed seed (or FAULT_SEED), one after another and now and then two at
// once, in real processes under load; afterwards log, read models, ledger and answers are reconciled with what the clients wrote down.
// The long form, with every fault many times over, is schedule.long.ts.
import assert from 'node:assert/strict'
import { chosenFaults, wholeFrom } from './support/chosen.ts'
import { complaint, report } from './support/report.ts'
import { type Outcome, runSchedule } from './support/schedule.ts'

const SEEDS = [wholeFrom('FAULT_SEED', 20_261_122)]
const FAULTS = wholeFrom('FAULT_COUNT', 10)

describe('a schedule of faults under load', function () {
  this.timeout(600_000)
  const outcomes: Outcome[] = []

  after(() => {
    if (outcomes.length > 0) process.stdout.write(`${report(outcomes)}\n`)
  })

  for (const seed of SEEDS) {
    it(`loses nothing and counts nothing twice (seed ${seed}, ${FAULTS} faults)`, async () => {
      const outcome = await runSchedule({
        seed,
        faults: chosenFaults(),
        count: FAULTS,
        twoAtOnce: 0.5,
        load: { clients: 6, apps: 6, eventsPerSecond: 400, singles: 0.5, batchMin: 10, batchMax: 300 },
      })
      outcomes.push(outcome)
      assert.equal(complaint(outcome, 'npm run test:faults'), '')
    })
  }
})
