// The web tally on both engines: its rows say what a naive sum says, are the same however the steps were cut into stretches,
// and are as if what was taken back had never been.
import assert from 'node:assert/strict'
import { stopSharedServers } from '../../support/servers.ts'
import type { Database } from '../../../src/kernel/database.ts'
import { uuidToBytes } from '../../../src/kernel/ids.ts'
import { countedEntries } from '../../../src/projections/sets/countedSet.ts'
import { ANONYMOUS, COOKIELESS, USER } from '../../../src/projections/visitors/visitors.ts'
import { createWebTally } from '../../../src/projections/web/counting.ts'
import { SUMS, type WebSums } from '../../../src/projections/web/entries.ts'
import { newWebMemory } from '../../../src/projections/web/memory.ts'
import { readOrdinal, readPeople } from '../../../src/projections/web/people.ts'
import { readCells, readRef, readSlots, readTotals, readValues, readWebExtent, type WebRows } from '../../../src/projections/web/read.ts'
import { Naive, type NaiveSums, openTallyDatabase, personOf, type Step, tallyRows, tallySteps } from './tallyDriver.ts'
import { withLimits } from '../../support/limits.ts'

const LARGE = '018f0000-0000-7000-8000-000000000001'
const OLD = '018f0000-0000-7000-8000-000000000002'
// Monrovia's clocks were 44 minutes and 30 seconds behind: its days begin within a quarter of an hour.
const ZONES = new Map([[LARGE, 'Asia/Kathmandu'], [OLD, 'Africa/Monrovia']]) // prettier-ignore
const DIMENSIONS = ['page', 'event', 'source', 'entryPage', 'metadata.plan']
const BOTS = [0, 1] as const
const ALWAYS = [-10, 1_000_000] as const

/** A generator of the same numbers every time. */
function chance(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 4_294_967_296) * below)
  }
}

function stepOf(pick: (below: number) => number, appId: string, atMs: number): Step {
  const who = pick(120)
  const identity = who < 60 ? { anonymousId: `a${who}` } : who < 80 ? { userId: `u${who}`, ...(who % 2 === 0 && { anonymousId: `a${who - 60}` }) } : who < 100 ? { cookieless: `c${who}` } : {}
  const name = pick(3) === 0 ? 'signup' : 'pageview'
  const values: [string, string][] = [['event', name], ['page', `/${Math.floor(pick(400) ** 2 / 400)}`]] // prettier-ignore
  if (pick(2) === 0) values.push(['source', `source ${pick(6)}`], ['entryPage', `/${pick(90)}`])
  if (pick(4) === 0) values.push(['metadata.plan', ['gratuit', 'プロ', '(other)'][pick(3)]!])
  const visit = pick(2) === 0 ? { bounce: pick(2) === 0, durationMs: pick(90_000_000) } : undefined
  return { appId, sign: 1, atMs, bot: pick(9) === 0, data: { event: name, ...identity }, values, visit }
}

/** 2,700 events on one large day, few on others, two apps; then most of the large day and some of the rest taken back. */
function history(): Step[] {
  const pick = chance(7)
  const largeDay = Date.UTC(2026, 2, 8, 18, 15)
  const steps: Step[] = []
  for (let at = 0; at < 2_700; at++) steps.push(stepOf(pick, LARGE, largeDay + pick(86_400_000)))
  for (let at = 0; at < 500; at++) steps.push(stepOf(pick, pick(2) === 0 ? LARGE : OLD, pick(2) === 0 ? pick(200_000_000) : largeDay + pick(400_000_000)))
  const back = steps.filter((_, at) => pick(at < 2_700 ? 2 : 5) === 0).map((step): Step => ({ ...step, sign: -1 }))
  return [...steps, ...back]
}

async function readCounted(rows: WebRows, people: ReadonlyMap<number, string>): Promise<Record<'days' | 'slots' | 'cells', Map<string, NaiveSums>>> {
  const found = { days: new Map<string, NaiveSums>(), slots: new Map<string, NaiveSums>(), cells: new Map<string, NaiveSums>() }
  const named = (visitors: Uint8Array): string[] => [...countedEntries(visitors)].flatMap(([ordinal, count]) => Array.from({ length: count }, () => people.get(ordinal)!)).sort()
  const sums = (some: WebSums): Omit<NaiveSums, 'people'> => Object.fromEntries(SUMS.map((name) => [name, some[name]])) as unknown as WebSums
  for (const total of await readTotals(rows, ...ALWAYS, BOTS)) found.days.set(`${rows.appId} ${total.day} ${total.bot}`, { ...sums(total.sums), people: named(total.visitors) })
  for (const slot of await readSlots(rows, ...ALWAYS, BOTS)) found.slots.set(`${rows.appId} ${slot.day} ${slot.bot} ${slot.slot}`, { ...sums(slot.sums), people: named(slot.visitors) })
  for (const dimension of DIMENSIONS) {
    const refs = new Map<string, number>()
    await readCells(rows, dimension, ...ALWAYS, BOTS, ({ day, bot, ref, events, pageviews, visits, visitors }) => {
      refs.set(`${rows.appId} ${day} ${bot} ${dimension} ${ref}`, ref)
      found.cells.set(`${rows.appId} ${day} ${bot} ${dimension} ${ref}`, { events, pageviews, visits, bounces: 0, pageviewVisits: 0, viewsInThem: 0, durationMs: 0, people: named(visitors) })
    })
    const texts = await readValues(rows, [...new Set(refs.values())])
    for (const [key, ref] of refs) {
      const sum = found.cells.get(key)!
      found.cells.delete(key)
      found.cells.set(key.replace(/ \d+$/, ` ${texts.get(ref)!}`), sum)
      assert.equal(await readRef(rows, dimension, texts.get(ref)!), ref)
    }
  }
  return found
}

async function assertSays(database: Database, build: number, naive: Naive, steps: readonly Step[]): Promise<void> {
  const found = { days: new Map<string, NaiveSums>(), slots: new Map<string, NaiveSums>(), cells: new Map<string, NaiveSums>() }
  for (const appId of ZONES.keys()) {
    const rows = { trx: database.knex, build, appId }
    const people = new Map<number, string>()
    for (const { data } of steps.filter((step) => step.appId === appId)) {
      const person = personOf(data)
      if (person === '' || [...people.values()].includes(person)) continue
      const kind = data.userId !== undefined ? USER : data.anonymousId !== undefined ? ANONYMOUS : COOKIELESS
      people.set((await readOrdinal(rows, kind, person.slice(1)))!, person)
    }
    const some = await readCounted(rows, people)
    for (const name of ['days', 'slots', 'cells'] as const) for (const [key, sum] of some[name]) found[name].set(key, sum)
  }
  for (const name of ['days', 'slots', 'cells'] as const) {
    const wanted = [...naive[name]].map(([key, sums]) => [key, { ...sums, people: [...sums.people].sort() }] as const)
    assert.deepEqual(sorted(found[name]), sorted(wanted), name)
  }
}

const sorted = (entries: Iterable<readonly [string, NaiveSums]>): Record<string, NaiveSums> =>
  Object.fromEntries([...entries].sort(([left], [right]) => (left < right ? -1 : 1)))

for (const engine of ['sqlite', 'mysql'] as const) {
  describe(`the web tally (${engine})`, function () {
    this.timeout(120_000)
    let database: Database

    before(async () => {
      database = await openTallyDatabase(engine)
    })
    after(async () => {
      await database.close()
      await stopSharedServers()
    })

    const steps = history()
    const naiveOf = (some: readonly Step[], bound?: number): Naive => {
      const naive = new Naive(ZONES, bound)
      for (const step of some) naive.step(step)
      return naive
    }

    it('says what a naive sum says, before and after much is taken back, and keeps a large day in rows of its own only while it is large', async () => {
      const cut = steps.findIndex(({ sign }) => sign === -1)
      await tallySteps(database, 1, ZONES, steps.slice(0, cut), { size: 500 })
      await assertSays(database, 1, naiveOf(steps.slice(0, cut)), steps)
      assert.ok((await tallyRows(database, 1)).web_slots!.length > 0)
      await tallySteps(database, 1, ZONES, steps.slice(cut), { size: 300, forgetful: true })
      await assertSays(database, 1, naiveOf(steps), steps)
      assert.equal((await tallyRows(database, 1)).web_slots!.length, 0)
    })

    it('writes the same rows however the steps are cut, with and without memory', async () => {
      const whole = await tallyRows(database, 1)
      for (const [build, cut] of [[2, { size: 10_000 }], [3, { size: 37 }], [4, { size: 411, forgetful: true }]] as const) {
        await tallySteps(database, build, ZONES, steps, cut)
        const rows = await tallyRows(database, build)
        for (const [table, of] of Object.entries(whole)) assert.deepEqual(rows[table], of, `${table}, stretches of ${cut.size}`)
      }
    })

    it('says the same while changes of large rows wait beside their content, and when they no longer do', async () => {
      const whole = await tallyRows(database, 1)
      const waiting = async (build: number): Promise<number> => (await database.knex('web_cells').where({ build, app_id: uuidToBytes(LARGE) }).whereNotNull('pending')).length
      const cut = steps.findIndex(({ sign }) => sign === -1) + 150
      await withLimits({ cellPendingFromBytes: 100 }, async () => {
        const memory = newWebMemory()
        await tallySteps(database, 12, ZONES, steps.slice(0, cut), { size: 23, memory })
        assert.ok((await waiting(12)) > 0)
        await assertSays(database, 12, naiveOf(steps.slice(0, cut)), steps)
        await tallySteps(database, 12, ZONES, steps.slice(cut), { size: 23, memory })
        assert.ok((await waiting(12)) > 0)
        assert.deepEqual(await tallyRows(database, 12), whole)
        // Of a day that nothing changes any more nothing waits, while another goes on.
        const others = Array.from({ length: 60 }, (): Step => ({ ...steps[0]!, atMs: steps[0]!.atMs + 50 * 86_400_000 }))
        await tallySteps(database, 12, ZONES, [...others, ...others.map((step): Step => ({ ...step, sign: -1 }))], { size: 3, memory })
        assert.equal(await waiting(12), 0)
        assert.deepEqual((await tallyRows(database, 12)).web_cells, whole.web_cells)
        // Whoever does not know what is pending reads it.
        await tallySteps(database, 13, ZONES, steps.slice(0, cut), { size: 23 })
        await tallySteps(database, 13, ZONES, steps.slice(cut), { size: 411, forgetful: true })
        assert.deepEqual(await tallyRows(database, 13), whole)
      })
      await withLimits({ cellPendingFromBytes: 100, cellsPendingBytes: 900 }, () => tallySteps(database, 14, ZONES, steps, { size: 37 }))
      assert.deepEqual(await tallyRows(database, 14), whole)
    })

    it('is left with nothing but names when everything is taken back', async () => {
      const some = steps.filter(({ sign }) => sign === 1).slice(0, 2_600)
      const thereAndBack = [...some, ...some.map((step): Step => ({ ...step, sign: -1 }))]
      await tallySteps(database, 5, ZONES, thereAndBack, { size: 999 })
      await withLimits({ cellPendingFromBytes: 0 }, () => tallySteps(database, 15, ZONES, thereAndBack, { size: 30 }))
      for (const build of [5, 15]) {
        const rows = await tallyRows(database, build)
        for (const table of ['web_days', 'web_slots', 'web_cells']) assert.deepEqual(rows[table], [], table)
      }
      assert.equal(await readWebExtent({ trx: database.knex, build: 5, appId: LARGE }), undefined)
    })

    it('counts values beyond the bound of a day as "(other)", the first ones in order keeping their name', async () => {
      const some = [...steps.slice(2_000, 3_200), ...steps.slice(2_100, 2_400).map((step): Step => ({ ...step, sign: -1 }))]
      const naive = naiveOf(some, 5)
      const others = [...naive.cells].filter(([key]) => key.endsWith(' page (other)')).reduce((sum, [, { events }]) => sum + events, 0)
      assert.ok(others > 300)
      await tallySteps(database, 6, ZONES, some, { size: 100, forgetful: true, valuesPerDay: 5 })
      await assertSays(database, 6, naive, steps.slice(2_000, 3_200))
      await tallySteps(database, 7, ZONES, some, { size: 5_000, valuesPerDay: 5 })
      assert.deepEqual(await tallyRows(database, 7), await tallyRows(database, 6))
    })

    it('refuses to take back what was never there, and a value that was not prepared', async () => {
      const never: Step = { ...steps[0]!, atMs: steps[0]!.atMs + 40 * 86_400_000, sign: -1 }
      await assert.rejects(tallySteps(database, 1, ZONES, [never], { size: 1 }), RangeError)
      const tally = createWebTally(newWebMemory(), { timezoneOf: () => 'UTC' })
      await tally.prepare(database.knex, 8, [{ appId: OLD, data: steps[0]!.data }], [{ appId: OLD, dimension: 'page', value: '/', day: 3 }])
      assert.throws(() => tally.ref(OLD, 'page', '/', 4), /not prepared/)
      assert.throws(() => tally.ref(OLD, 'page', '/else', 3), /not prepared/)
      tally.visitEvents(OLD, { day: 3, bot: false, visitor: -1, events: 1, pageviews: 0, refs: [tally.ref(OLD, 'page', '/', 3)] }, -1)
      await assert.rejects(database.knex.transaction((trx) => tally.write(trx, 8)), /less than nothing/)
    })

    it('takes nothing over from a stretch that was never written', async () => {
      const memory = newWebMemory()
      const given = createWebTally(memory, { timezoneOf: (appId) => ZONES.get(appId)! })
      const wanted = [{ appId: LARGE, dimension: 'page', value: '/never written', day: 3 }]
      await given.prepare(database.knex, 10, [{ appId: LARGE, data: { event: 'pageview', anonymousId: 'never written' } }], wanted)
      given.visitor(LARGE, { event: 'pageview', anonymousId: 'never written' })
      const some = steps.slice(0, 50)
      await tallySteps(database, 10, ZONES, some, { size: 20, memory })
      await tallySteps(database, 11, ZONES, some, { size: 50 })
      assert.deepEqual(await tallyRows(database, 10), await tallyRows(database, 11))
    })

    it('counts a visitor who turned out to be a user as that user, until a correction says otherwise', async () => {
      const rows = { trx: database.knex, build: 9, appId: OLD }
      const at = (data: Partial<Step['data']>): Step => ({ appId: OLD, sign: 1, atMs: 86_400_000, bot: false, data: { event: 'pageview', ...data }, values: [] })
      const some = [at({ anonymousId: 'x' }), at({ anonymousId: 'y' }), at({ userId: 'u' }), at({ cookieless: 'z' }), at({ userId: 'u', anonymousId: 'x' }), at({ userId: 'v', anonymousId: 'x' })]
      await tallySteps(database, 9, ZONES, some, { size: 2, forgetful: true })
      const by = async (): Promise<unknown> => {
        const people = (await readPeople(rows)).distinct()
        for (let round = 0; round < 2; round++) {
          people.clear()
          for (const { visitors } of await readTotals(rows, ...ALWAYS, BOTS)) people.add(visitors)
        }
        return people.by
      }
      assert.deepEqual(await by(), { userId: 2, anonymousId: 1, cookieless: 1 })
      const tally = createWebTally(newWebMemory(), { timezoneOf: () => 'UTC' })
      await tally.prepare(database.knex, 9, some.slice(4), [])
      tally.relink(OLD, { kind: ANONYMOUS, id: 'x' }, undefined)
      await database.knex.transaction((trx) => tally.write(trx, 9))
      assert.deepEqual(await by(), { userId: 2, anonymousId: 2, cookieless: 1 })
    })
  })
}
