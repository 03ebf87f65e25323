// The batcher keeps order and bounds, answers each item with its own result, and lets nothing go unanswered.
import assert from 'node:assert/strict'
import { Coalescer, CoalescerClosed } from '../../../src/kernel/coalescer.ts'

function gate(): { open: () => void; passed: Promise<void> } {
  let open = (): void => undefined
  const passed = new Promise<void>((resolve) => (open = resolve))
  return { open, passed }
}

describe('coalescer', () => {
  it('sends together what arrives while earlier work is in flight', async () => {
    const batches: number[][] = []
    const first = gate()
    const coalescer = new Coalescer<number, number>({
      maxItems: 100,
      flush: async (items) => {
        batches.push([...items])
        if (batches.length === 1) await first.passed
        return items.map((item) => item * 10)
      },
    })
    const one = coalescer.add(1)
    await new Promise((resolve) => setImmediate(resolve))
    const rest = [2, 3, 4].map((item) => coalescer.add(item))
    assert.equal(coalescer.inFlight, 1)
    assert.equal(coalescer.queuedItems, 3)
    first.open()
    assert.deepEqual(await Promise.all([one, ...rest]), [10, 20, 30, 40])
    assert.deepEqual(batches, [[1], [2, 3, 4]])
    await coalescer.drained()
    assert.equal(coalescer.queuedItems, 0)
  })

  it('bounds a batch by count, by weight and by bytes, but always takes one item', async () => {
    const batches: number[][] = []
    const run = async (options: { maxItems: number; maxBytes?: number; count?: boolean }, items: number[]): Promise<number[][]> => {
      batches.length = 0
      const coalescer = new Coalescer<number, number>({
        maxItems: options.maxItems,
        ...(options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes, sizeOf: (item: number) => item }),
        ...(options.count === true ? { countOf: (item: number) => item } : {}),
        flush: (taken) => {
          batches.push([...taken])
          return Promise.resolve(taken)
        },
      })
      await Promise.all(items.map((item) => coalescer.add(item)))
      return [...batches]
    }
    assert.deepEqual(await run({ maxItems: 2 }, [1, 2, 3, 4, 5]), [[1, 2], [3, 4], [5]])
    assert.deepEqual(await run({ maxItems: 9, maxBytes: 10 }, [4, 6, 1, 99, 2]), [[4, 6], [1], [99], [2]])
    assert.deepEqual(await run({ maxItems: 5, count: true }, [2, 3, 1, 9]), [[2, 3], [1], [9]])
  })

  it('keeps at most maxInFlight batches at work', async () => {
    let most = 0
    let flights = 0
    const coalescer = new Coalescer<number, number>({
      maxItems: 1,
      maxInFlight: 3,
      flush: async (items) => {
        most = Math.max(most, ++flights)
        await new Promise((resolve) => setImmediate(resolve))
        flights--
        return items
      },
    })
    await Promise.all(Array.from({ length: 20 }, (_, item) => coalescer.add(item)))
    assert.equal(most, 3)
  })

  it('waits for a batch to fill, no longer than maxWaitMs, and not at all once it is full', async () => {
    const batches: number[][] = []
    const flush = (items: readonly number[]): Promise<readonly number[]> => {
      batches.push([...items])
      return Promise.resolve(items)
    }
    const patient = new Coalescer<number, number>({ maxItems: 3, maxWaitMs: 60_000, flush })
    const three = [1, 2].map((item) => patient.add(item))
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(batches, [])
    await Promise.all([...three, patient.add(3)])
    assert.deepEqual(batches, [[1, 2, 3]])
    const left = patient.add(4)
    await patient.close()
    assert.equal(await left, 4)

    const quick = new Coalescer<number, number>({ maxItems: 3, maxWaitMs: 20, flush })
    const since = performance.now()
    await quick.add(9)
    assert.ok(performance.now() - since >= 15)
  })

  it('sends a small batch beside another only when that one is done, and a large one at once', async () => {
    const batches: number[] = []
    const land: (() => void)[] = []
    const coalescer = new Coalescer<number, number>({
      maxItems: 100,
      maxInFlight: 3,
      minItemsBeside: 3,
      flush: (items) =>
        new Promise((resolve) => {
          batches.push(items.length)
          land.push(() => resolve(items))
        }),
    })
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    const added = [coalescer.add(1)]
    await turn()
    added.push(coalescer.add(2), coalescer.add(3))
    await turn()
    assert.deepEqual(batches, [1])
    added.push(coalescer.add(4))
    await turn()
    assert.deepEqual(batches, [1, 3])
    added.push(coalescer.add(5))
    land[1]!()
    await turn()
    assert.deepEqual(batches, [1, 3])
    land[0]!()
    await turn()
    assert.deepEqual(batches, [1, 3, 1])
    land[2]!()
    assert.deepEqual(await Promise.all(added), [1, 2, 3, 4, 5])
  })

  it('rejects a failed batch as a whole and goes on with the next', async () => {
    let calls = 0
    const coalescer = new Coalescer<number, number>({
      maxItems: 2,
      flush: (items) => (++calls === 1 ? Promise.reject(new Error('first')) : Promise.resolve(items)),
    })
    const settled = await Promise.allSettled([1, 2, 3].map((item) => coalescer.add(item)))
    assert.deepEqual(settled.map(({ status }) => status), ['rejected', 'rejected', 'fulfilled'])
  })

  it('treats a flush that answers too few results as failed', async () => {
    const coalescer = new Coalescer<number, number>({ maxItems: 2, flush: () => Promise.resolve([1]) })
    const settled = await Promise.allSettled([coalescer.add(1), coalescer.add(2)])
    assert.deepEqual(settled.map(({ status }) => status), ['rejected', 'rejected'])
  })

  it('flushes all that waits before close resolves, and takes nothing afterwards', async () => {
    const done: number[] = []
    const coalescer = new Coalescer<number, number>({
      maxItems: 2,
      flush: async (items) => {
        await new Promise((resolve) => setImmediate(resolve))
        done.push(...items)
        return items
      },
    })
    const added = [1, 2, 3, 4, 5].map((item) => coalescer.add(item))
    await coalescer.close()
    assert.deepEqual(done, [1, 2, 3, 4, 5])
    await Promise.all(added)
    await assert.rejects(coalescer.add(6), CoalescerClosed)
  })
})
