// Three minutes at seven tenths of what the stack gets through: nothing fails, nothing is lost, read models keep up all the time
// and catch up in the end, and no process grows with what it has seen. bench/longRun.ts is the same for half an hour.
import assert from 'node:assert/strict'
import { type LongRun, longRun } from '../../bench/support/longRun.ts'
import { type Stack, startStack } from '../../bench/support/stack.ts'

const MINUTES = 3
const SHARE = 0.7
/** Generous: machines that run tests run other things too; what grows without bound is beyond it all the same. */
const MOST_LAG_MS = 20_000
/** A leak of 100 bytes an event is 30 MB in 300,000 events; heaps that find their level take as much in three minutes. */
const MOST_GROWTH_MB = 150

describe('a long run at seven tenths of peak', function () {
  this.timeout((MINUTES + 7) * 60_000)
  let stack: Stack
  let run: LongRun

  before(async () => {
    stack = await startStack(['append', 'project'])
    run = await longRun(stack, { minutes: MINUTES, share: SHARE })
  })

  after(() => stack.stop())

  it('answers every request', () => {
    assert.equal(run.errors, 0)
    assert.ok(run.acknowledged > 0)
  })

  it('has every acknowledged event in the log', () => {
    assert.equal(run.missing, 0)
  })

  it('keeps up, and has caught up in the end', () => {
    const lags = run.samples.map(({ lagMs }) => lagMs)
    assert.ok(Math.max(...lags) < MOST_LAG_MS, `lag was up to ${Math.max(...lags)} ms`)
    assert.ok(run.lagSlopeMs < MOST_LAG_MS / MINUTES / 2, `lag rose by ${run.lagSlopeMs} ms a minute`)
  })

  it('does not grow', () => {
    // What stores keep in memory grows with what is stored, up to their buffers; Recount's own processes have no reason to.
    for (const name of ['api', 'append', 'project']) {
      const { firstMb, lastMb, slopeMb } = run.memory[name]!
      assert.ok(lastMb - firstMb < MOST_GROWTH_MB, `${name} grew from ${firstMb} to ${lastMb} MB, by ${slopeMb} MB a minute`)
    }
  })
})
