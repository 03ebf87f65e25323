// Retry gives up when told to, pauses longer each time within a bound, and an abort ends it at once.
import assert from 'node:assert/strict'
import { backoffMs, retry } from '../../../src/kernel/retry.ts'

describe('retry', () => {
  it('tries until it succeeds and tells of each failure', async () => {
    const told: number[] = []
    const answer = await retry((tries) => (tries < 4 ? Promise.reject(new Error('not yet')) : Promise.resolve(tries)), {
      firstPauseMs: 1,
      onRetry: (_error, tries) => told.push(tries),
    })
    assert.equal(answer, 4)
    assert.deepEqual(told, [1, 2, 3])
  })

  it('throws the last error when tries are used up', async () => {
    let calls = 0
    const failing = retry(() => Promise.reject(new Error(`call ${++calls}`)), { maxTries: 3, firstPauseMs: 1 })
    await assert.rejects(failing, /call 3/)
  })

  it('does not retry what is not retryable', async () => {
    let calls = 0
    await assert.rejects(
      retry(
        () => {
          calls++
          return Promise.reject(new TypeError('defect'))
        },
        { retryable: (error) => !(error instanceof TypeError) },
      ),
      TypeError,
    )
    assert.equal(calls, 1)
  })

  it('ends a pause at once when aborted, with the reason given', async () => {
    const abort = new AbortController()
    const failing = retry(() => Promise.reject(new Error('down')), {
      firstPauseMs: 3_600_000,
      maxPauseMs: 3_600_000,
      signal: abort.signal,
      onRetry: () => setImmediate(() => abort.abort(new Error('shutting down'))),
    })
    await assert.rejects(failing, /shutting down/)
  })

  it('doubles the pause up to the bound, with half of it left to chance', () => {
    const most = (tries: number): number => backoffMs(tries, { firstPauseMs: 10, maxPauseMs: 100, random: () => 1 })
    assert.deepEqual([1, 2, 3, 4, 5, 6, 100].map(most), [10, 20, 40, 80, 100, 100, 100])
    assert.equal(backoffMs(3, { firstPauseMs: 10, random: () => 0 }), 20)
  })
})
