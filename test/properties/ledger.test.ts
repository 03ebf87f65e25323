// Random histories of sends, repeats, deliveries over and over, refusals, releases and discards: the ledger says of each event
// what became of it, as a plain count of the same history does, and agrees with the log.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { up as countRecorded } from '../../migrations/0076_ledger_recorded.ts'
import type { AppState } from '../../src/commands/keyring.ts'
import { createQuarantineActs, type QuarantineActs } from '../../src/commands/quarantineActs.ts'
import { createSaltStore } from '../../src/commands/salts.ts'
import { Problem } from '../../src/errors.ts'
import type { Pack } from '../../src/events/eventLog.ts'
import { type LedgerHour, readLedger } from '../../src/events/ledger.ts'
import { reconcileHeads, verifyLedger } from '../../src/events/verifyLedger.ts'
import { uuidToBytes, uuidv5 } from '../../src/kernel/ids.ts'
import { readLedgerOf } from '../../src/queries/ledger.ts'
import { newEvent, openStore, type Store } from '../contracts/logFixtures.ts'
import { freshDatabase, freshSqlite } from '../support/servers.ts'

const HOUR = 3_600_000
const START = 1_764_000_000_000 - (1_764_000_000_000 % HOUR)

type Step =
  | { readonly kind: 'send'; readonly ids: readonly number[]; readonly bad: number; readonly heldMs: number }
  | { readonly kind: 'deliver'; readonly which: number }
  | { readonly kind: 'release' | 'discard'; readonly which: number; readonly id: number | undefined; readonly times: number }
  | { readonly kind: 'wait'; readonly ms: number }

const fraction = fc.double({ min: 0, max: 0.999, noNaN: true })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('send' as const), ids: fc.array(fc.nat(15), { maxLength: 6 }), bad: fc.nat(3), heldMs: fc.constantFrom(0, 1, HOUR, 5 * HOUR) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('deliver' as const), which: fraction }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('release' as const, 'discard' as const), which: fraction, id: fc.option(fc.nat(15), { nil: undefined }), times: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 3 * HOUR }) }) },
)

type Counts = { -readonly [Name in Exclude<keyof LedgerHour, 'hour'>]: number }

/** The same history, counted with nothing but a set and a map. */
class Reference {
  readonly hours = new Map<number, Counts>()
  private readonly stored = new Set<string>()
  private readonly delivered = new Set<string>()
  readonly quarantine: { readonly receivedAt: number; resolved?: 'release' | 'discard' }[] = []

  deliver({ deliveryId, receivedAt, events, rejected }: Pack, now: number): void {
    if (this.delivered.has(deliveryId)) return
    this.delivered.add(deliveryId)
    for (const { eventId } of events) this.store(eventId, receivedAt, now)
    this.of(receivedAt).rejected += rejected.length
    for (let n = 0; n < rejected.length; n++) this.quarantine.push({ receivedAt })
  }

  store(eventId: string, receivedAt: number, now: number): void {
    if (this.stored.has(eventId)) this.of(receivedAt).duplicate++
    else {
      this.of(receivedAt).stored++
      this.of(now).recorded++
    }
    this.stored.add(eventId)
  }

  of(at: number): Counts {
    const hour = at - (at % HOUR)
    let counts = this.hours.get(hour)
    if (counts === undefined) this.hours.set(hour, (counts = { stored: 0, duplicate: 0, rejected: 0, released: 0, discarded: 0, recorded: 0 }))
    return counts
  }
}

for (const [engine, freshUrl, numRuns] of [['SQLite', () => Promise.resolve(freshSqlite()), 40], ['MariaDB', freshDatabase, 15]] as const) {
  describe(`any history and its ledger, on ${engine}`, function () {
    this.timeout(120_000)
    let store: Store
    let acts: QuarantineActs
    let now = START
    before(async () => {
      const clock = { now: () => now }
      store = await openStore(await freshUrl(), { clock })
      acts = createQuarantineActs({ log: store.log, database: store.database, salts: createSaltStore({ database: store.database, clock }), clock })
    })
    after(() => store.close())

    async function play(steps: readonly Step[]): Promise<{ appId: string; reference: Reference }> {
      const appId = randomUUID()
      const app = { appId, partition: store.log.partitionOf(appId), settings: { timezone: 'UTC', ip: 'full', keepQuery: [] } } as unknown as AppState
      const reference = new Reference()
      const packs: Pack[] = []
      const deliver = async (pack: Pack): Promise<void> => {
        await store.log.append({ partition: pack.partition, packs: [pack, pack] })
        reference.deliver(pack, now)
      }
      for (const one of steps) {
        if (one.kind === 'wait') now += one.ms
        else if (one.kind === 'send') {
          const events = one.ids.map((id) => newEvent(appId, { eventId: uuidv5(appId, String(id)) }))
          const rejected = Array.from({ length: one.bad }, () => ({ appId, code: 'timestamp_in_future', detail: 'no', body: '{"event":"a"}' }))
          const pack: Pack = { deliveryId: randomUUID(), partition: app.partition, receivedAt: now, events, rejected }
          packs.push(pack)
          now += one.heldMs
          await deliver(pack)
        } else if (one.kind === 'deliver') {
          if (packs.length > 0) await deliver(packs[Math.floor(one.which * packs.length)]!)
        } else await resolve(app, reference, one)
      }
      return { appId, reference }
    }

    async function resolve(app: AppState, reference: Reference, { kind, which, id, times }: Extract<Step, { id: unknown }>): Promise<void> {
      const number = Math.floor(which * reference.quarantine.length) + 1
      const entry = reference.quarantine[number - 1]
      if (entry === undefined) return
      const event = id === undefined ? {} : { event: { event: 'a', id: String(id) } }
      const act = (): Promise<unknown> => (kind === 'release' ? acts.release(app, number, event, randomUUID()) : acts.discard(app, number, randomUUID()))
      const results = await Promise.allSettled(Array.from({ length: times }, act))
      const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as unknown)
      if (entry.resolved !== undefined && entry.resolved !== kind) {
        assert.ok(refused.length === times && refused.every((error) => error instanceof Problem && error.code.startsWith('already_')))
        return
      }
      assert.deepEqual(refused, [])
      if (entry.resolved !== undefined) return
      entry.resolved = kind
      const counts = reference.of(entry.receivedAt)
      if (kind === 'discard') counts.discarded++
      else {
        counts.released++
        reference.store(id === undefined ? `quarantine ${number}` : uuidv5(app.appId, String(id)), entry.receivedAt, now)
      }
    }

    it('say the same', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
          const { appId, reference } = await play(steps)
          const expected = [...reference.hours].sort(([left], [right]) => left - right).map(([hour, counts]) => ({ hour, ...counts }))
          const nothing = ({ hour, ...counts }: LedgerHour): boolean => hour % HOUR === 0 && Object.values(counts).every((count) => count === 0)
          const found = await readLedger(store.database.knex, appId, 0, now + 1)
          assert.deepEqual(found.filter((row) => !nothing(row)), expected.filter((row) => !nothing(row)))
          const queued = (): Promise<{ packs: []; whole: true }> => Promise.resolve({ packs: [], whole: true })
          const app = { appId, partition: store.log.partitionOf(appId), timezone: 'UTC' }
          const { differences, total } = await readLedgerOf({ ...store, clock: { now: () => now }, queued }, app, { period: 'all' })
          assert.deepEqual([differences, total.received, total.behind], [[], total.accepted + total.rejected - total.released, total.recorded])
        }),
        { numRuns },
      )
      const { differences, events } = await verifyLedger(store.database)
      assert.deepEqual(differences, [])
      assert.ok(events > 0)
      for (const { position, recorded } of await reconcileHeads(store.database.knex)) assert.equal(recorded, position)
    })

    it('agree also where the log is older than the count of it by hour', async () => {
      const { knex } = store.database
      await play([{ kind: 'send', ids: [1, 2, 3], bad: 1, heldMs: 5 * HOUR }, { kind: 'wait', ms: HOUR }, { kind: 'send', ids: [3, 4], bad: 0, heldMs: 0 }])
      await knex('ledger').update({ recorded: 0 })
      await knex('ledger').where({ stored: 0, duplicate: 0, rejected: 0 }).delete()
      assert.ok((await verifyLedger(store.database)).differences.length > 0)
      for (let time = 0; time < 2; time++) await countRecorded(knex)
      assert.deepEqual((await verifyLedger(store.database)).differences, [])
    })

    it('differ where the ledger, or the log, was changed by anybody else', async () => {
      const { knex } = store.database
      const { appId } = await play([{ kind: 'send', ids: [1, 2, 3], bad: 2, heldMs: 0 }])
      for (const column of ['stored', 'recorded', 'rejected'] as const) {
        const changed = (by: number): Promise<number> => knex('ledger').where('app_id', uuidToBytes(appId)).increment(column, by)
        await changed(1)
        const { differences } = await verifyLedger(store.database)
        assert.ok(differences.length === 1 && differences[0]!.includes(appId), `${column}: ${differences.join('\n')}`)
        await changed(-1)
      }
      const events = 'events'
      await knex(events).where('event_id', uuidToBytes(uuidv5(appId, '2'))).delete()
      assert.match((await verifyLedger(store.database)).differences.join('\n'), new RegExp(`app ${appId}: 3 events counted as stored, 2 in the log`))
    })
  })
}
