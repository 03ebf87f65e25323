// What every engine of the log promises, whatever keeps it. Run against each engine by eventLog.test.ts.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { Append, NewEvent } from '../../src/events/eventLog.ts'
import { VersionConflict } from '../../src/events/eventLog.ts'
import { readLedger, readQuarantine, readQuarantineCounts } from '../../src/events/ledger.ts'
import { verifyChain } from '../../src/events/verifyChain.ts'
import { NIL_UUID } from '../../src/kernel/ids.ts'
import { LIMITS } from '../../src/limits.ts'
import { append, neighbourOf, newEvent, newPack, openStore, readAll, scanned, type Store } from './logFixtures.ts'

/** As appended, and as read. */
type Fields = Omit<NewEvent, 'data' | 'stream'> & { readonly data: string | null; readonly stream?: string | null }

export function eventLogContract(engine: string, freshUrl: () => Promise<string>): void {
  describe(`event log on ${engine}`, function () {
    this.timeout(60_000)
    let now = 1_764_000_000_000
    let store: Store

    before(async () => {
      store = await openStore(await freshUrl(), { clock: { now: () => now } })
    })
    after(() => store.close())

    it('numbers the events of a partition densely from 1, in the order appended', async () => {
      const { log } = store
      const appId = randomUUID()
      const partition = log.partitionOf(appId)
      const before = (await log.head(partition)).position
      const first = await append(log, [newEvent(appId), newEvent(appId)])
      const second = await append(log, [newEvent(neighbourOf(log, appId))])
      assert.deepEqual([...first, ...second].map(({ position }) => position), [before + 1, before + 2, before + 3])
      const all = await readAll(log, partition)
      assert.deepEqual(all.map(({ position }) => position), all.map((_, index) => index + 1))
      assert.equal((await log.head(partition)).position, all.length)
      assert.equal((await log.heads()).length, log.partitions + 1)
    })

    it('stores an (app, event id) once: inside a pack, across packs, across appends, and answers its place', async () => {
      const { log } = store
      const appId = randomUUID()
      const twice = newEvent(appId)
      const [a, b] = [newPack(log, [twice, newEvent(appId), twice]), newPack(log, [twice])]
      const [first, other] = await log.append({ partition: a.partition, packs: [a, b] })
      assert.deepEqual([first!.map(({ duplicate }) => duplicate), other!.map(({ duplicate }) => duplicate)], [[false, false, true], [true]])
      const place = first![0]!.position
      assert.deepEqual([first![2]!.position, other![0]!.position], [place, place])
      const again = await append(log, [newEvent(appId), { ...twice, data: '{}' }])
      assert.deepEqual(again, [{ position: place + 2, duplicate: false }, { position: place, duplicate: true }])
      assert.equal((await log.readApp(appId, 0, 10)).length, 3)
      // The same event id in another app is another event.
      const [elsewhere] = await append(log, [newEvent(neighbourOf(log, appId), { eventId: twice.eventId })])
      assert.equal(elsewhere!.duplicate, false)
    })

    it('keeps the exact bytes: key order, unicode, 4-byte emoji, quotes, backslashes, trailing spaces, question marks', async () => {
      const { log } = store
      const appId = randomUUID()
      const texts = [
        '{"z":1,"a":2,"a":3,  "nested":{"é":"ß","emoji":"👩‍👩‍👧‍👦🏳️‍🌈","quote":"it\'s \\"so\\" \\\\ ok"}}   ',
        '"\\u0000 ? :name ?? $1 %s -- /* */ \\n"',
        `{"line":"\u2028","bom":"\ufeff","nbsp":"\u00a0"}\n\t `,
        JSON.stringify({ big: '😀'.repeat(60_000), ascii: "'\\".repeat(20_000) }),
      ]
      const events = texts.map((data) => newEvent(appId, { data, meta: data.slice(0, 100).replace(/[\ud800-\udfff]+$/, ''), occurredAt: -5 }))
      await append(log, events)
      const read = await log.readApp(appId, 0, 10)
      assert.deepEqual(read.map(({ data }) => data), texts)
      assert.deepEqual(read.map(({ meta }) => meta), events.map(({ meta }) => meta))
      assert.deepEqual(read.map(({ eventId, appId: app, occurredAt }) => [eventId, app, occurredAt]), events.map(({ eventId }) => [eventId, appId, -5]))
    })

    it('splits a large append into packets and still commits it as one', async () => {
      const { log } = store
      const appId = randomUUID()
      const events = Array.from({ length: 60 }, (_, index) => newEvent(appId, { data: JSON.stringify({ index, text: 'ü'.repeat(100_000) }) }))
      const appended = await append(log, events)
      assert.equal(appended.at(-1)!.position - appended[0]!.position, 59)
      const read = await log.readApp(appId, 0, 100)
      assert.deepEqual(read.map(({ data }) => data), events.map(({ data }) => data))
    })

    it('keeps every field of every event, however many of them are alike in a row', async () => {
      const { log } = store
      const appId = randomUUID()
      const neighbour = neighbourOf(log, appId)
      const kinds = [{}, { appId: neighbour }, { type: 'EventRetracted' }, { schemaVersion: 2 }, { meta: '{"keyId":"1"}' }, { stream: `many ${appId}` }]
      // Each kind beside the plain one, in runs that sixteen does not divide.
      const runs = kinds.flatMap((kind) => Array.from({ length: 37 }, (_, at) => (at < 17 ? kind : {})))
      const events = runs.map((kind, number) =>
        newEvent(appId, { ...kind, occurredAt: 1_764_000_000_000 - number, data: `{"number":${number}}` }),
      )
      const places = await append(log, events)
      const first = places[0]!.position
      assert.deepEqual(places.map(({ position }) => position - first), events.map((_, number) => number))
      const stored = await log.read(log.partitionOf(appId), first - 1, events.length)
      const fields = ({ eventId, appId: of, type, schemaVersion, occurredAt, data, meta, stream = null }: Fields): unknown[] => [
        ...[eventId, of, type, schemaVersion, occurredAt, data, meta, stream],
      ]
      assert.deepEqual(stored.map(fields), events.map(fields))
    })

    it('refuses what it could not keep, before it touches the store, and calls it deterministic', async () => {
      const { log } = store
      const appId = randomUUID()
      const head = await log.head(log.partitionOf(appId))
      const lone = String.fromCharCode(0xd800)
      for (const bad of [{ data: `"${lone}"` }, { data: '"\0"' }, { data: 'x'.repeat(LIMITS.appendMaxBytes + 1) }, { type: '' }, { type: 'a\0b' }, { stream: 'a\0b' }, { eventId: "'; --" }]) {
        await assert.rejects(append(log, [newEvent(appId), newEvent(appId, bad)]), (error) => log.classify(error) === 'deterministic')
      }
      const stray = newPack(log, [newEvent(appId)])
      const partition = (stray.partition % log.partitions) + 1
      await assert.rejects(log.append({ partition, packs: [{ ...stray, partition }] }), RangeError)
      assert.deepEqual(await log.head(log.partitionOf(appId)), head)
    })

    it('checks the expected version of a stream, and takes a command that is sent again as done', async () => {
      const { log } = store
      const stream = `app:${randomUUID()}`
      const command = (version: number, eventId: string = randomUUID()): Append => {
        const event = newEvent(NIL_UUID, { eventId, stream, type: 'AppUpdated', data: `{"v":${version}}` })
        return { partition: 0, packs: [newPack(log, [event])], expected: [{ stream, version }] }
      }
      const first = command(0)
      await log.append(first)
      const head = await log.head(0)
      await assert.rejects(log.append(command(0)), (error) => error instanceof VersionConflict && error.actual === 1 && error.stream === stream)
      assert.deepEqual(await log.head(0), head)
      assert.equal((await log.append(first))[0]![0]!.duplicate, true)
      await log.append(command(1))
      const raced = await Promise.allSettled([log.append(command(2)), log.append(command(2)), log.append(command(2))])
      assert.deepEqual(raced.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected'])
      const events = await log.readStream(0, stream)
      assert.deepEqual(events.map(({ streamVersion, data }) => [streamVersion, data]), [[1, '{"v":0}'], [2, '{"v":1}'], [3, '{"v":2}']])
      assert.deepEqual(await log.readStream(0, `app:${randomUUID()}`), [])
    })

    it('pages by position, reads one app, browses newest first, and finds one event', async () => {
      const { log } = store
      const appId = randomUUID()
      const other = neighbourOf(log, appId)
      const events = Array.from({ length: 25 }, (_, index) => newEvent(index % 5 === 4 ? other : appId, { type: index % 2 === 0 ? 'EventCollected' : 'SignedIn' }))
      await append(log, events)
      // Control events of the app, in another partition at positions of their own, are not its history.
      await log.append({ partition: 0, packs: [newPack(log, [newEvent(appId)], { partition: 0 })] })
      const mine = events.filter((event) => event.appId === appId).map(({ eventId }) => eventId)
      const page = await log.readApp(appId, 0, 12)
      const rest = await log.readApp(appId, page.at(-1)!.position, 12)
      assert.deepEqual([...page, ...rest].map(({ eventId }) => eventId), mine)
      const newest = await log.browse(appId, { limit: 3 })
      const older = await log.browse(appId, { limit: 100, before: newest.at(-1)!.position })
      assert.deepEqual([...newest, ...older].map(({ eventId }) => eventId), [...mine].reverse())
      const typed = await log.browse(appId, { limit: 100, type: 'SignedIn' })
      assert.deepEqual([...new Set(typed.map(({ type }) => type))], ['SignedIn'])
      const found = await log.find(appId, mine[7]!)
      assert.deepEqual([found?.eventId, found?.position], [mine[7], page[7]!.position])
      assert.equal(await log.find(appId, randomUUID()), undefined)
      assert.equal((JSON.parse(JSON.stringify(found)) as { eventId: string }).eventId, mine[7])
    })

    it('answers as many events as asked for, and keeps what is absent apart from what is empty', async () => {
      const { log } = store
      const appId = randomUUID()
      const count = LIMITS.readPageEvents + 60
      const odd = [newEvent(appId, { data: '', meta: '' }), newEvent(appId, { data: '1', meta: null, stream: `an app:${appId}` })]
      await append(log, [...odd, ...Array.from({ length: count - 2 }, () => newEvent(appId))])
      for (const limit of [1, LIMITS.readPageEvents, count - 1, count, count + 1]) {
        const positions = (await log.readApp(appId, 0, limit)).map(({ position }) => position)
        assert.deepEqual(positions, Array.from({ length: Math.min(limit, count) }, (_, index) => positions[0]! + index))
        assert.equal((await log.read(log.partitionOf(appId), positions[0]! - 1, limit)).length, Math.min(limit, count))
      }
      const [first, second] = await log.readApp(appId, 0, 2)
      assert.deepEqual([first!.data, first!.meta, first!.stream, first!.streamVersion], ['', '', null, null])
      assert.deepEqual([second!.data, second!.meta, second!.stream, second!.streamVersion], ['1', null, `an app:${appId}`, 1])
      assert.deepEqual(await log.readApp(appId, second!.position + count, 10), [])
    })

    it('scans one app in order with what folding needs, whether it is most of its partition or little of it', async () => {
      const { log } = store
      const appId = randomUUID()
      const other = neighbourOf(log, appId)
      // Alone, then thinly among another's, then alone again; and in the control partition, which is not its history.
      const mine = (index: number): boolean => index < 40 || index >= 440 || index % 25 === 0
      const texts = ['{"é":"👩‍👩‍👧 \\\\ \\" \\u0000"}', '', ' [1] ']
      const events = Array.from({ length: 480 }, (_, index) =>
        newEvent(mine(index) ? appId : other, { data: texts[index % 3]!, occurredAt: index - 5, type: index % 7 === 0 ? 'EventCorrected' : 'EventCollected', schemaVersion: 1 + (index % 2) }),
      )
      await append(log, events)
      await log.append({ partition: 0, packs: [newPack(log, [newEvent(appId)], { partition: 0 })] })
      const all = await log.readApp(appId, 0, 1_000)
      await log.redact(appId, all[3]!.eventId, null)
      const wanted = all.map(({ position, type, schemaVersion, occurredAt, recordedAt, data }, index) => ({ position, type, schemaVersion, occurredAt, recordedAt, data: index === 3 ? null : data }))
      assert.equal(wanted.length, 40 + 16 + 40)
      for (const limit of [1, 7, 40, wanted.length, 1_000]) {
        const pages = await scanned(log, appId, limit)
        assert.deepEqual(pages.flat(), wanted, `pages of ${limit}`)
        // A page is short only where the log ends.
        assert.ok(pages.slice(0, -1).every((page) => page.length === limit), `pages of ${limit}`)
      }
      assert.deepEqual(await log.scan(appId, all[0]!.position, 2), wanted.slice(1, 3))
      assert.deepEqual(await log.scan(appId, wanted.at(-1)!.position, 10), [])
      assert.deepEqual(await log.scan(randomUUID(), 0, 10), [])
    })

    it('reads by place whatever order, number and repetition is asked for, and leaves out what is not there', async () => {
      const { log } = store
      const appId = randomUUID()
      const partition = log.partitionOf(appId)
      const count = LIMITS.rowsPerStatement + 20
      const places = (await append(log, Array.from({ length: count }, (_, index) => newEvent(index % 2 === 0 ? appId : neighbourOf(log, appId))))).map(({ position }) => position)
      const head = places.at(-1)!
      const some = [places[9]!, places[2]!, places[9]!, head, head + 1, head + 1_000]
      const found = await log.readAt(partition, some)
      assert.deepEqual(found.map(({ position }) => position), [places[2], places[9], head])
      assert.deepEqual(JSON.parse(JSON.stringify(found)), JSON.parse(JSON.stringify((await readAll(log, partition)).filter(({ position }) => some.includes(position)))))
      assert.deepEqual((await log.readAt(partition, [...places].reverse())).map(({ position }) => position), places)
      assert.deepEqual(await log.readAt(partition, []), [])
      // Places of another partition are others.
      assert.deepEqual((await log.readAt(0, [head])).map((event) => event.position), [])
    })

    it('knows the last position recorded at an instant', async () => {
      const { log } = store
      const appId = randomUUID()
      const partition = log.partitionOf(appId)
      const since = now
      const at = async (ms: number): Promise<number> => (await log.positionAt(partition, since + ms)) - before
      const before = (await log.head(partition)).position
      for (const [later, events] of [[10_000, 1], [20_000, 3], [20_000, 2], [50_000, 1]] as const) {
        now = since + later
        await append(log, Array.from({ length: events }, () => newEvent(appId)))
      }
      assert.deepEqual([await at(9_999), await at(10_000), await at(19_999), await at(20_000), await at(49_999), await at(50_000), await at(9e9)], [0, 1, 1, 6, 6, 7, 7])
      assert.equal(await log.positionAt(partition, 0), 0)
    })

    it('never lets recordedAt run backwards when the clock does', async () => {
      const { log } = store
      const appId = randomUUID()
      const since = now
      for (const later of [5_000, -60_000, 1, 7_000]) {
        now = since + later
        await append(log, [newEvent(appId)])
      }
      const times = (await log.readApp(appId, 0, 10)).map(({ recordedAt }) => recordedAt - since)
      assert.deepEqual(times, [5_000, 5_000, 5_000, 7_000])
    })

    it('moves the ledger once per delivery id and keeps refused events aside, bodies bounded, counts never', async () => {
      const { log, database } = store
      const appId = randomUUID()
      const hour = Math.floor(now / 3_600_000) * 3_600_000
      const refuse = (count: number, code: string): { appId: string; code: string; detail: string; body: string }[] =>
        Array.from({ length: count }, (_, index) => ({ appId, code, detail: "it's no good", body: `{"n":${index}}` }))
      const unresolved = { released: 0, discarded: 0 }
      const event = newEvent(appId)
      const pack = newPack(log, [event, newEvent(appId), event], { rejected: refuse(2, 'bad_date'), receivedAt: now })
      for (let delivery = 0; delivery < 3; delivery++) await log.append({ partition: pack.partition, packs: [pack, pack] })
      assert.deepEqual(await readLedger(database.knex, appId, now, now + 1), [{ hour, stored: 2, duplicate: 1, rejected: 2, ...unresolved, recorded: 2 }])
      await append(log, [event], { rejected: refuse(LIMITS.quarantineBodiesPerApp, 'too_long'), receivedAt: now })
      assert.deepEqual(await readLedger(database.knex, appId, now, now + 1), [
        { hour, stored: 2, duplicate: 2, rejected: LIMITS.quarantineBodiesPerApp + 2, ...unresolved, recorded: 2 },
      ])
      const kept = await readQuarantine(database.knex, appId, { limit: 5_000 })
      assert.deepEqual([kept.length, kept[0]!.number, kept.at(-1)!.number], [LIMITS.quarantineBodiesPerApp, LIMITS.quarantineBodiesPerApp + 2, 3])
      assert.deepEqual([kept[0]!.code, kept[0]!.detail, kept[0]!.receivedAt], ['too_long', "it's no good", now])
      assert.deepEqual((await readQuarantine(database.knex, appId, { limit: 2, before: 5 })).map(({ number }) => number), [4, 3])
      assert.deepEqual(
        (await readQuarantineCounts(database.knex, appId)).map(({ code, rejected }) => [code, rejected]),
        [['bad_date', 2], ['too_long', LIMITS.quarantineBodiesPerApp]],
      )
    })

    it('keeps of a refused event what its release has to know, and nothing where a program before said nothing', async () => {
      const { log, database } = store
      const appId = randomUUID()
      const plain = { appId, code: 'bad', detail: '', body: '{}' }
      const skewMs = -300 * 365 * 86_400_000
      await append(log, [], { rejected: [plain, { ...plain, viaPublicKey: true, altered: true, skewMs }] })
      const kept = await readQuarantine(database.knex, appId, { limit: 2, after: 0 })
      assert.deepEqual(kept.map((entry) => [entry.viaPublicKey, entry.altered, entry.skewMs]), [[false, false, 0], [true, true, skewMs]])
    })

    it('seals history: the chain holds from event 1, survives redaction, and shows the first position that was touched', async () => {
      const { log, database } = store
      const appId = randomUUID()
      const partition = log.partitionOf(appId)
      for (let index = 0; index < 5; index++) await append(log, [newEvent(appId, { data: `{"secret":${index}}` }), newEvent(appId)])
      const [first, , third] = await log.readApp(appId, 0, 10)
      const steps: number[] = []
      const whole = await verifyChain(database, partition, (events) => steps.push(events))
      const { position: head } = await log.head(partition)
      assert.deepEqual([whole.events, whole.broken, steps.at(-1)], [head, undefined, head])
      const sealed = await log.contentHash(appId, first!.eventId)
      assert.match(sealed!, /^[0-9a-f]{64}$/)
      assert.equal(await log.redact(appId, first!.eventId, '{"redacted":true}'), true)
      assert.equal(await log.redact(appId, first!.eventId, null), true)
      assert.equal(await log.redact(appId, randomUUID(), null), false)
      assert.equal(await log.contentHash(appId, first!.eventId), sealed)
      assert.equal(await log.contentHash(appId, randomUUID()), undefined)
      assert.deepEqual((await log.readApp(appId, 0, 1)).map(({ data, eventId }) => [data, eventId]), [[null, first!.eventId]])
      assert.deepEqual(await verifyChain(database, partition), { events: head, redacted: whole.redacted + 1 })
      await database.knex('events').where({ partition, position: third!.position }).update({ data: '{"secret":9}' })
      const forged = await verifyChain(database, partition)
      assert.equal(forged.broken?.position, third!.position)
      await database.knex('events').where({ partition, position: third!.position }).update({ data: third!.data })
      await database.knex('appends').where({ partition, first_position: third!.position }).delete()
      assert.equal((await verifyChain(database, partition)).broken?.position, third!.position)
    })

    it('tells listeners of what it committed, and nothing of what it did not', async () => {
      const { log } = store
      const appId = randomUUID()
      const told: number[][] = []
      const stop = log.onAppended((partition, position) => told.push([partition, position]))
      const event = newEvent(appId)
      const [{ position } = { position: 0 }] = await append(log, [event])
      await append(log, [event])
      stop()
      await append(log, [newEvent(appId)])
      assert.deepEqual(told, [[log.partitionOf(appId), position]])
    })

    it('keeps the number of partitions that the store was made with', async () => {
      const again = await openStore(store.url, { partitions: 64 })
      try {
        assert.equal(again.log.partitions, store.log.partitions)
      } finally {
        await again.close()
      }
    })
  })
}
