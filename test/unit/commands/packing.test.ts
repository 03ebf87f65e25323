// How requests become packs and packs become transactions, and what one bad event or an absent store does to the others.
import assert from 'node:assert/strict'
import { createInProcessQueue } from '../../../src/commands/inProcessQueue.ts'
import { createLogAppender } from '../../../src/commands/logAppender.ts'
import { createParcelPacker } from '../../../src/commands/parcelPacker.ts'
import { decodePack, encodePack, type PackJob } from '../../../src/commands/appendJobs.ts'
import { Problem } from '../../../src/errors.ts'
import type { Append, Pack } from '../../../src/events/eventLog.ts'
import { silentLogger } from '../../../src/kernel/logger.ts'
import { eventually } from '../../support/eventually.ts'
import { memoryLog, StoreError } from '../../support/memoryLog.ts'
import { newEvent, packOf, parcelOf } from '../../support/parcels.ts'

function appenderOf(log: ReturnType<typeof memoryLog>, more: { maxEvents?: number; maxWaitMs?: number; giveUpMs?: number } = {}) {
  return createLogAppender({ log, logger: silentLogger, maxEvents: 1_000, maxWaitMs: 0, ...more })
}

describe('packing', () => {
  it('sizes packs by what arrives while earlier ones are in flight, one partition a pack', async () => {
    const packs: Pack[] = []
    const release: (() => void)[] = []
    const packer = createParcelPacker({
      handOver: (pack) => new Promise((resolve) => {
        packs.push(pack)
        release.push(() => resolve(undefined))
      }),
      maxEvents: 1_000,
      maxInFlight: 2,
    })
    const add = (partition = 1): Promise<unknown> => packer.add(parcelOf([newEvent()], partition))
    const done = [add(), add(2)]
    await eventually(() => packs.length === 2)
    done.push(add())
    await eventually(() => packs.length === 3)
    for (let n = 0; n < 50; n++) done.push(add())
    done.push(add(2))
    await eventually(() => packs.length === 4)
    assert.deepEqual(packs.map(({ partition, events }) => [partition, events.length]), [[1, 1], [2, 1], [1, 1], [2, 1]])
    release[0]!()
    await eventually(() => packs.length === 5)
    assert.deepEqual([packs[4]!.partition, packs[4]!.events.length], [1, 50])
    assert.equal(new Set(packs.map(({ deliveryId }) => deliveryId)).size, 5)
    release.forEach((go) => go())
    await Promise.all(done)
  })

  it('bounds packs by events, and what may wait by bytes', async () => {
    const sizes: number[] = []
    let go: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (go = resolve))
    const handOver = async (pack: Pack): Promise<undefined> => {
      sizes.push(pack.events.length)
      await gate
    }
    const packer = createParcelPacker({ handOver, maxEvents: 10, maxInFlight: 1, maxPendingBytes: 20_000 })
    const waiting = Array.from({ length: 25 }, () => packer.add(parcelOf([newEvent()])))
    const refused = await packer.add(parcelOf([newEvent({ title: 'x'.repeat(20_000) })])).catch((error: unknown) => error)
    assert.ok(refused instanceof Problem)
    assert.deepEqual([refused.code, refused.status, refused.retryAfterSeconds], ['overloaded', 503, 1])
    go()
    await Promise.all(waiting)
    assert.deepEqual(sizes, [10, 10, 5])
    assert.equal(packer.pendingBytes(), 0)
    await packer.add(parcelOf([newEvent({ title: 'x'.repeat(15_000) })]))
  })

  it('gives each parcel its own places', async () => {
    const appender = appenderOf(memoryLog())
    const packer = createParcelPacker({ handOver: (pack) => appender.append(pack), maxEvents: 100, maxInFlight: 1 })
    const [first, second] = await Promise.all([packer.add(parcelOf([newEvent(), newEvent()])), packer.add(parcelOf([newEvent()]))])
    assert.deepEqual([first?.map((place) => place?.position), second?.map((place) => place?.position)], [[1, 2], [3]])
  })

  it('survives the trip through a job', () => {
    const events = [newEvent(), { ...newEvent({ text: '"ü\u0000' }), meta: null }, newEvent(), { ...newEvent(), appId: '0190a0c2-0000-7000-8000-0000000000ff' }]
    const refused = { appId: events[0]!.appId, code: 'c', detail: 'd', body: '{}' }
    // The first as programs wrote it that knew no clock correction.
    const pack = { ...packOf(events), rejected: [refused, { ...refused, viaPublicKey: true as const, altered: true as const, skewMs: -5 }] }
    const job = JSON.parse(JSON.stringify(encodePack(pack))) as PackJob
    assert.deepEqual(decodePack(pack.deliveryId, job), pack)
    assert.throws(() => decodePack('not-an-id', job))
    assert.throws(() => decodePack(pack.deliveryId, { ...job, v: 2 as never }))
  })
})

describe('appending', () => {
  it('coalesces packs up to the threshold of events, or when the timeout passes', async () => {
    const log = memoryLog()
    const appender = appenderOf(log, { maxEvents: 4, maxWaitMs: 30 })
    await Promise.all([1, 2, 3, 4, 5].map(() => appender.append(packOf([newEvent(), newEvent()]))))
    assert.deepEqual(log.appends.map(({ packs }) => packs.length), [2, 2, 1])
  })

  it('waits for a store that is away and loses nothing', async () => {
    const log = memoryLog()
    let failures = 3
    log.before = () => {
      if (failures-- > 0) throw new StoreError('transient')
    }
    const appender = appenderOf(log)
    await appender.append(packOf([newEvent()]))
    assert.equal(log.events.size, 1)
    assert.equal(appender.stalled(), false)
  })

  it('hands packs back when the store stays away, where it was told to give up', async () => {
    const log = memoryLog()
    log.before = () => {
      throw new StoreError('transient')
    }
    await assert.rejects(appenderOf(log, { giveUpMs: 60 }).append(packOf([newEvent()])), StoreError)
  })

  it('hands packs back in time although the clock is set back meanwhile', async () => {
    const log = memoryLog()
    const { now } = Date
    log.before = () => {
      Date.now = () => now() - 3_600_000
      throw new StoreError('transient')
    }
    try {
      await assert.rejects(appenderOf(log, { giveUpMs: 60 }).append(packOf([newEvent()])), StoreError)
    } finally {
      Date.now = now
    }
  })

  it('a commit whose answer was lost counts once', async () => {
    const log = memoryLog()
    let lost = false
    log.after = () => {
      if (lost) return
      lost = true
      throw new StoreError('transient')
    }
    await appenderOf(log).append(packOf([newEvent(), newEvent()]))
    assert.deepEqual([log.appends.length, log.events.size, log.ledger], [2, 2, { stored: 2, duplicate: 0, rejected: 0 }])
  })

  const refusing = (ids: Set<string>, fault: 'deterministic' | 'defect') => ({ packs }: Append): void => {
    if (packs.some(({ events }) => events.some(({ eventId }) => ids.has(eventId)))) throw new StoreError(fault)
  }

  it('isolates events that the store cannot hold, and counts a redelivery once', async () => {
    const log = memoryLog()
    const packs = Array.from({ length: 5 }, () => packOf(Array.from({ length: 7 }, () => newEvent())))
    const poison = new Set([packs[1]!.events[3]!.eventId, packs[1]!.events[6]!.eventId, packs[4]!.events[0]!.eventId])
    log.before = refusing(poison, 'deterministic')
    const appender = appenderOf(log)
    for (let delivery = 0; delivery < 2; delivery++) {
      const placed = await Promise.all(packs.map((pack) => appender.append(pack)))
      assert.deepEqual(placed.map((places) => places.map((place) => place === null)), packs.map(({ events }) => events.map(({ eventId }) => poison.has(eventId))))
      assert.deepEqual(log.ledger, { stored: 32, duplicate: 0, rejected: 3 })
    }
    assert.equal(log.events.size, 32)
    assert.deepEqual(log.quarantine.map(({ code }) => code), ['not_storable', 'not_storable', 'not_storable'])
  })

  it('fails only the pack of an event that hits a defect of ours', async () => {
    const log = memoryLog()
    const packs = Array.from({ length: 4 }, () => packOf([newEvent(), newEvent()]))
    log.before = refusing(new Set([packs[2]!.events[1]!.eventId]), 'defect')
    const appender = appenderOf(log)
    const settled = await Promise.allSettled(packs.map((pack) => appender.append(pack)))
    assert.deepEqual(settled.map(({ status }) => status), ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    assert.equal(log.quarantine.length, 0)
  })
})

describe('the in-process queue', () => {
  it('answers after the commit, 503 when the log stays away, and drains when closed', async () => {
    const log = memoryLog()
    const queue = createInProcessQueue({ log, appendMaxEvents: 1_000, appendMaxWaitMs: 5, logger: silentLogger })
    await queue.append(parcelOf([newEvent()]))
    assert.equal(log.events.size, 1)
    const event = newEvent()
    assert.deepEqual(await queue.appendStored(parcelOf([event])), [{ position: 2, duplicate: false }])
    assert.deepEqual(await queue.appendStored(parcelOf([event])), [{ position: 2, duplicate: true }])
    log.before = () => {
      throw new StoreError('transient')
    }
    const refused = await queue.append(parcelOf([newEvent()])).catch((error: unknown) => error)
    assert.ok(refused instanceof Problem)
    assert.deepEqual([refused.code, refused.retryAfterSeconds], ['unavailable', 1])
    log.before = () => undefined
    const held = queue.append(parcelOf([newEvent()]))
    await queue.close()
    await held
    assert.equal(log.events.size, 3)
    await assert.rejects(queue.append(parcelOf([newEvent()])), Problem)
  })
})
