// Whoever tampers with the log past its program is found out, at the exact position, on every engine and however the log is
// cut among threads; a history that was rewritten with all of its hashes only by a head that was published before.
import { strict as assert } from 'node:assert'
import { createHash, randomUUID } from 'node:crypto'
import type { Knex } from 'knex'
import { contentHash } from '../../src/events/sealing.ts'
import { headsLine, publish, readHeads } from '../../src/events/publishedHeads.ts'
import { type ChainReport, verifyLog } from '../../src/events/verifyChain.ts'
import { type CheckedHeads, verifyPublished } from '../../src/events/verifyHeads.ts'
import { freshDatabase, freshSqlite } from '../support/servers.ts'
import { append, newEvent, openStore, type Store } from './logFixtures.ts'

interface SealedRow {
  readonly position: number
  readonly seal: Buffer
  readonly data: string
}

interface HeadRow {
  readonly partition: number
  readonly position: number
  readonly hash: Buffer
}

const APPENDS = 40
const PER_APPEND = 5
const EVENTS = APPENDS * PER_APPEND
/** Cut so that threads meet in the middle of what is tampered with, and not at all. */
const CUTS = [{ threads: 1 }, { threads: 1, rangeEvents: 7 }, { threads: 1, rangeEvents: 30 }]

for (const [engine, freshUrl] of [['SQLite', () => Promise.resolve(freshSqlite())], ['MySQL', () => freshDatabase()]] as const) {
  describe(`sealed history on ${engine}`, () => {
    const appId = randomUUID()
    let store: Store
    let partition: number
    let rows: SealedRow[]

    before(async () => {
      store = await openStore(await freshUrl())
      partition = store.log.partitionOf(appId)
      for (let number = 0; number < APPENDS; number++) {
        await append(store.log, Array.from({ length: PER_APPEND }, (_, index) => newEvent(appId, { data: `{"event":"é${number}","n":${index},"pad":"${'x'.repeat(number * 20)}"}` })))
      }
      // The seal is bytes to both engines, the data text.
      rows = await events().orderBy('position').select('position', 'seal', 'data')
    })
    after(() => store.close())

    const headRow = (): Knex.QueryBuilder<HeadRow> => store.database.knex<HeadRow>('heads').where({ partition })
    const events = () => store.database.knex<SealedRow & { partition: number }>('events').where({ partition })
    const at = (position: number) => events().where({ position })
    const row = (position: number): SealedRow => rows[position - 1]!
    const appends = () => store.database.knex<{ partition: number; first_position: number; last_position: number; hash: Buffer }>('appends').where({ partition })
    const restoreAll = async (): Promise<void> => {
      for (const { position, seal, data } of rows) await at(position).update({ seal, data })
    }
    const places = (position: number): string => `events ${position} to ${position + PER_APPEND - 1} are not those appended`

    /** The same from every cut of the log. */
    const found = async (): Promise<ChainReport> => {
      const reports = await Promise.all(CUTS.map(async (cut) => (await verifyLog(store.database, cut))[partition]!))
      for (const report of reports) assert.deepEqual(report, reports[0])
      const { events, redacted, broken: fault } = reports[0]!
      return fault === undefined ? { events, redacted } : { events, redacted, broken: fault }
    }
    const broken = (position: number, reason: string, events = position - 1): ChainReport => ({ events, redacted: 0, broken: { position, reason } })

    it('is whole as it was appended, and an untouched partition is whole beside a broken one', async () => {
      assert.deepEqual(await found(), { events: EVENTS, redacted: 0 })
      await at(1).update({ data: '{}' })
      const reports = await verifyLog(store.database, { threads: 2, rangeEvents: 50 })
      await at(1).update({ data: row(1).data })
      assert.deepEqual(reports.filter(({ broken: fault }) => fault !== undefined).map((report) => report.partition), [partition])
    })

    it('shows one byte of data, the first and the last append included', async () => {
      for (const position of [1, 101, EVENTS - PER_APPEND + 1]) {
        await at(position + 2).update({ data: row(position + 2).data.replace('"n":2', '"n":3') })
        assert.deepEqual(await found(), broken(position, places(position)))
        await at(position + 2).update({ data: row(position + 2).data })
      }
    })

    it('shows another seal, and data that moved into the seal', async () => {
      await at(57).update({ seal: Buffer.alloc(8, 1) })
      assert.deepEqual(await found(), broken(56, places(56)))
      const { seal, data } = row(57)
      // The bytes that are hashed stay the same.
      await at(57).update({ seal: Buffer.concat([seal, Buffer.from(data.slice(0, 4))]), data: data.slice(4) })
      assert.deepEqual(await found(), broken(57, 'the seal is none', 55))
      await at(57).update({ seal, data })
    })

    it('shows rows that changed places, within an append and across two', async () => {
      for (const [one, other, first] of [[32, 34, 31], [33, 78, 31]] as const) {
        await at(one).update({ seal: row(other).seal, data: row(other).data })
        await at(other).update({ seal: row(one).seal, data: row(one).data })
        assert.deepEqual(await found(), broken(first, places(first)))
        for (const position of [one, other]) await at(position).update({ seal: row(position).seal, data: row(position).data })
      }
    })

    it('shows a row that is gone, in the middle and at the end, and one too many', async () => {
      for (const position of [68, EVENTS]) {
        const first = Math.floor((position - 1) / PER_APPEND) * PER_APPEND
        await at(position).update({ position: 100_000 + position })
        assert.deepEqual(await found(), broken(position, 'the event is missing', first))
        await at(100_000 + position).update({ position })
      }
      await at(EVENTS).update({ position: EVENTS + 1 })
      const { broken: missing } = await found()
      await at(EVENTS + 1).update({ position: EVENTS })
      assert.equal(missing?.position, EVENTS)
      const extra = { ...(await at(3).first())!, position: EVENTS + 4, event_id: Buffer.alloc(16, 9) }
      await store.database.knex('events').insert(extra)
      assert.deepEqual(await found(), broken(EVENTS + 1, 'no append covers this position'))
      await at(EVENTS + 4).delete()
    })

    it('shows a row that moved to another partition, in both', async () => {
      const other = partition === 1 ? 2 : 1
      await at(93).update({ partition: other, position: 1 })
      const reports = await verifyLog(store.database, { threads: 1, rangeEvents: 30 })
      await store.database.knex('events').where({ partition: other, position: 1 }).update({ partition, position: 93 })
      assert.deepEqual(reports[partition]!.broken, { position: 93, reason: 'the event is missing' })
      assert.deepEqual(reports[other]!.broken, { position: 1, reason: 'no append covers this position' })
    })

    it('shows a row of the chain that changed, is gone or covers another stretch, and another head', async () => {
      const mark = (await appends().where({ first_position: 121 }).first())!
      const change = (what: Partial<typeof mark>): Promise<unknown> => appends().where({ first_position: 121 }).update(what)
      await change({ hash: Buffer.alloc(32, 5) })
      assert.deepEqual(await found(), broken(121, places(121)))
      await change({ hash: mark.hash, last_position: 126 })
      assert.deepEqual(await found(), broken(121, 'events 121 to 126 are not those appended'))
      await appends().where({ first_position: 121 }).delete()
      assert.deepEqual(await found(), broken(121, 'no append covers this position'))
      await store.database.knex('appends').insert(mark)
      const { hash, position } = (await headRow().first()) as HeadRow
      await headRow().update({ hash: Buffer.alloc(32) })
      assert.deepEqual(await found(), broken(EVENTS, 'the head does not carry the hash of the last append', EVENTS))
      await headRow().update({ hash, position: EVENTS - PER_APPEND })
      assert.equal((await found()).broken?.position, EVENTS - PER_APPEND)
      await headRow().update({ hash, position })
      assert.deepEqual(await found(), { events: EVENTS, redacted: 0 })
    })

    describe('published', () => {
      const published: string[] = []
      const checked = async (): Promise<CheckedHeads[]> => verifyPublished(store.database, readHeads(published.join('\n')), await verifyLog(store.database, { threads: 1 }))
      const publishNow = async (nowMs: number): Promise<void> => void published.push(headsLine(publish(await store.log.heads(), nowMs)))

      it('stays provable after more appends and redactions', async () => {
        await publishNow(Date.UTC(2026, 0, 1))
        for (let number = 0; number < 3; number++) {
          await append(store.log, [newEvent(appId), newEvent(appId)])
          await publishNow(Date.UTC(2026, 0, 2 + number))
        }
        const [event] = await store.log.readApp(appId, 12, 1)
        await store.log.redact(appId, event!.eventId, '{"redacted":true}')
        assert.deepEqual(await checked(), [EVENTS, EVENTS + 2, EVENTS + 4, EVENTS + 6].map((count, day) => ({ at: `2026-01-0${day + 1}T00:00:00.000Z`, events: count, differences: [] })))
      })

      it('shows when history was rewritten with all of its hashes, which is whole in itself', async () => {
        const head = (await headRow().first()) as HeadRow
        const kept = await appends().orderBy('first_position')
        const forged = EVENTS + 3
        const original = (await at(forged).first())!
        await at(forged).update({ data: '{"event":"never happened"}' })
        await recomputeFrom(forged)
        const whole = await verifyLog(store.database, CUTS[2])
        assert.ok(whole.every((report) => report.broken === undefined))
        const reason = 'the history up to this position is not the one that was published'
        assert.deepEqual((await checked()).map(({ differences }) => differences), [[], [], ...[EVENTS + 4, EVENTS + 6].map((position) => [{ partition, position, reason }])])
        await at(forged).update({ data: original.data })
        for (const { first_position, hash } of kept) await appends().where({ first_position }).update({ hash })
        await headRow().update({ hash: head.hash })
        assert.ok((await checked()).every(({ differences }) => differences.length === 0))
      })

      it('proves nothing behind a break, beyond the end, between appends, or of another log', async () => {
        const line = (position: number, hash = '0'.repeat(64), of = partition): CheckedHeads[] | Promise<CheckedHeads[]> =>
          verifyLog(store.database, { threads: 1 }).then((chains) => verifyPublished(store.database, [{ at: '2026-01-01T00:00:00.000Z', partitions: [{ partition: of, position, hash }] }], chains))
        const reasons = async (...asked: Parameters<typeof line>): Promise<string[]> => (await line(...asked)).flatMap(({ differences }) => differences.map(({ reason }) => reason))
        assert.deepEqual(await reasons(EVENTS + 6 + 1), [`the log ends at position ${EVENTS + 6}`])
        assert.deepEqual(await reasons(3), ['no append ends at this position'])
        assert.deepEqual(await reasons(5), ['the history up to this position is not the one that was published'])
        assert.deepEqual(await reasons(5, '0'.repeat(64), 99), ['the log has no such partition'])
        await at(152).update({ data: '{}' })
        assert.deepEqual(await reasons(EVENTS), ['the log is broken at position 151'])
        await restoreAll()
      })
    })

    /** What a forger with all rights would do: every hash from a position on, anew. */
    const recomputeFrom = async (position: number): Promise<void> => {
      const marks = await appends().orderBy('first_position')
      const tail = marks.findIndex((mark) => mark.last_position >= position)
      let hash = marks[tail - 1]!.hash
      for (const { first_position, last_position } of marks.slice(tail)) {
        const chain = createHash('sha256').update(hash)
        for (const { seal, data } of await events().whereBetween('position', [first_position, last_position]).orderBy('position')) chain.update(contentHash(seal, data))
        hash = chain.digest()
        await appends().where({ first_position }).update({ hash })
      }
      await headRow().update({ hash })
    }
  })
}
