// The read models of apps, keys and their use hold what a plain reading of the log says, whatever happened in which order and
// however the log was cut into pages and stretches; a rebuild says the same.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { FoldEvent } from '../../../src/events/catalogue.ts'
import type { Database } from '../../../src/kernel/database.ts'
import { NIL_UUID, uuidv5 } from '../../../src/kernel/ids.ts'
import { apps, type AppRow } from '../../../src/projections/apps.ts'
import { writing } from '../../../src/projections/checkpoints.ts'
import { keys, type KeyRow } from '../../../src/projections/keys.ts'
import { keyUse } from '../../../src/projections/keyUse.ts'
import type { EventReader, FoldContext, Projection } from '../../../src/projections/projection.ts'
import { textOfId } from '../../../src/projections/storage/rows.ts'
import { ENGINES, openStage, type Stage } from './stage.ts'

const id = (name: string): string => uuidv5(NIL_UUID, name)
const ACCOUNTS = ['alice', 'bob'].map(id)
const APPS = ['shop', 'blog'].map(id)
/** Each of one app. */
const KEYS = APPS.flatMap((appId) => ['first', 'second', 'third'].map((name) => ({ appId, keyId: id(`${name} ${appId}`) })))

interface Said {
  readonly type: string
  readonly appId: string
  /** Null: redacted. */
  readonly data: Record<string, unknown> | null
}

interface Cuts {
  readonly page: number
  readonly stretch: number
}

const account = fc.constantFrom(...ACCOUNTS)
const maybe = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(one, { nil: undefined, freq: 1 })
const name = fc.constantFrom('One', 'Two')
const url = fc.constantFrom('https://one.example', 'https://two.example')
const zone = fc.constantFrom('UTC', 'Europe/Berlin')
const keepQuery = fc.constantFrom('all', [], ['q'])
const settings = fc.record({ timezone: zone, ip: fc.constantFrom('truncate', 'none'), keepQuery })
const time = fc.integer({ min: 1, max: 9_000 })
const scopes = fc.constantFrom(['collect'], ['collect', 'query'], ['people'])
const without = (data: object): Said['data'] => JSON.parse(JSON.stringify(data)) as Said['data']

const OF_APPS: Record<string, Record<string, fc.Arbitrary<unknown>>> = {
  AppRegistered: { ownerId: account, organisationId: maybe(account), name, url: maybe(url), settings },
  AppUpdated: { name: maybe(name), url: maybe(url), settings: maybe(fc.oneof(settings, fc.record({ timezone: zone }), fc.record({ keepQuery }))) },
  AppTransferred: { from: account, organisationId: account },
  AppDeleted: {},
}
const OF_KEYS: Record<string, Record<string, fc.Arbitrary<unknown>>> = {
  ApiKeyIssued: {
    ...{ issuedBy: account, name, scopes, writeKeyHash: fc.constant('1f'.repeat(32)), writeKeyHint: fc.constant('rk_abcd') },
    ...{ expiresAt: maybe(time), allowedOrigins: maybe(fc.constant(['https://one.example'])), requestsPerMinute: maybe(fc.integer({ min: 1, max: 100 })) },
    replaces: maybe(fc.constantFrom(...KEYS.map(({ keyId }) => keyId))),
  },
  ApiKeyRotated: { replacedBy: fc.constantFrom(...KEYS.map(({ keyId }) => keyId)), endsAt: time },
  ApiKeyRevoked: {},
  ApiKeyAdopted: { issuedBy: account, scopes: maybe(scopes) },
}

/** Beginnings are rarer than changes, so that histories grow long. */
function happenings(kinds: typeof OF_APPS, subject: { readonly appId: string }): fc.Arbitrary<Said> {
  const one = ([type, fields]: [string, Record<string, fc.Arbitrary<unknown>>]): fc.Arbitrary<Said> =>
    fc.record(fields).map((data) => ({ type, appId: subject.appId, data: without({ ...subject, ...data }) }))
  return fc.oneof(...Object.entries(kinds).map((kind, index) => ({ weight: index === 0 ? 1 : 3, arbitrary: one(kind) })))
}

const ofApps = fc.constantFrom(...APPS).chain((appId) => happenings(OF_APPS, { appId }))
const ofKeys = fc.constantFrom(...KEYS).chain((key) => happenings(OF_KEYS, key))
const redacted = fc.record({ type: fc.constantFrom(...Object.keys({ ...OF_APPS, ...OF_KEYS })), appId: fc.constantFrom(...APPS), data: fc.constant(null) })
const history = fc.array(fc.oneof({ weight: 10, arbitrary: ofApps }, { weight: 20, arbitrary: ofKeys }, { weight: 1, arbitrary: redacted }), { minLength: 1, maxLength: 80, size: 'max' })
const metas = fc.constantFrom(null, '{}', '{"keyId":7}', '{"keyId":"no id"}', ...KEYS.map(({ keyId }) => JSON.stringify({ keyId })))
const collected = fc.array(fc.record({ appId: fc.constantFrom(...APPS), meta: metas, later: fc.integer({ min: 0, max: 3 }) }), { minLength: 1, maxLength: 80 })
const cuts = fc.record({ page: fc.integer({ min: 1, max: 7 }), stretch: fc.integer({ min: 1, max: 20 }) })

/** Each change names one thing and leaves the others as they were. */
const CHANGED: Said[] = [
  { type: 'AppRegistered', appId: APPS[0]!, data: { appId: APPS[0], ownerId: ACCOUNTS[0], name: 'One', url: 'https://one.example', settings: { timezone: 'UTC', ip: 'none', keepQuery: ['q'] } } },
  { type: 'AppUpdated', appId: APPS[0]!, data: { appId: APPS[0], settings: { timezone: 'Europe/Berlin' } } },
  { type: 'AppUpdated', appId: APPS[0]!, data: { appId: APPS[0], name: 'Two' } },
]

function eventsOf(said: readonly Said[]): FoldEvent[] {
  return said.map(({ type, appId, data }, index) => ({
    ...{ partition: 0, position: index + 1, eventId: id(`event ${index}`), appId, type, schemaVersion: 1, data, meta: null },
    ...{ occurredAt: 1_000 + index, recordedAt: 2_000 + index, stream: null, streamVersion: null },
  }))
}

/** As the projector does it: memory for so many pages, a transaction after every stretch. */
async function foldInto<State>(projection: Projection<State, null>, database: Database, build: number, events: readonly FoldEvent[], { page, stretch }: Cuts): Promise<void> {
  const own = events.filter(({ type }) => projection.eventTypes.includes(type))
  for (let from = 0; from < own.length; from += stretch) {
    const state = projection.start(null, {} as FoldContext)
    const some = own.slice(from, from + stretch)
    for (let at = 0; at < some.length; at += page) {
      const few = some.slice(at, at + page)
      await projection.load?.(database.knex, build, state, few, {} as EventReader)
      projection.fold(state, few)
    }
    await writing(database, (trx) => projection.write(trx, build, state))
  }
}

/** What the log says of each app: one field after another, from the newest event that names it. */
function plainApps(events: readonly FoldEvent[]): unknown[] {
  return APPS.flatMap((appId) => {
    const own = events.filter((event) => event.appId === appId && event.data !== null && apps.eventTypes.includes(event.type))
    const start = own.findLastIndex(({ type }) => type === 'AppRegistered')
    if (start < 0) return []
    const since = own.slice(start)
    const newest = (field: string, inner?: string): unknown =>
      since.map(({ data }) => (inner === undefined ? data : (data as Record<string, unknown>)[inner]) as Record<string, unknown> | undefined).findLast((each) => each?.[field] !== undefined)?.[field] ?? null
    const fields = [newest('ownerId'), newest('organisationId'), newest('name'), newest('url'), newest('timezone', 'settings'), newest('ip', 'settings'), newest('keepQuery', 'settings')]
    return [[appId, ...fields, since[0]!.recordedAt, since.at(-1)!.recordedAt, since.findLast(({ type }) => type === 'AppDeleted')?.recordedAt ?? null]]
  })
}

function plainKeys(events: readonly FoldEvent[]): unknown[] {
  return KEYS.flatMap(({ appId, keyId }) => {
    const own = events.filter(({ type, data }) => keys.eventTypes.includes(type) && (data as { keyId?: string } | null)?.keyId === keyId)
    const start = own.findLastIndex(({ type }) => type === 'ApiKeyIssued')
    if (start < 0) return []
    const since = own.slice(start)
    const data = since[0]!.data as Record<string, unknown>
    const of = (type: string): FoldEvent[] => since.filter((event) => event.type === type)
    const ends = [data['expiresAt'], ...of('ApiKeyRotated').map((event) => (event.data as { endsAt: number }).endsAt)].filter((end) => end !== undefined) as number[]
    const issuer = (of('ApiKeyAdopted').at(-1)?.data as { issuedBy?: string } | undefined)?.issuedBy ?? data['issuedBy']
    const replacedBy = (of('ApiKeyRotated').at(-1)?.data as { replacedBy?: string } | undefined)?.replacedBy ?? null
    const allowed = (of('ApiKeyAdopted').findLast((event) => (event.data as { scopes?: unknown }).scopes !== undefined)?.data as { scopes?: unknown } | undefined)?.scopes ?? data['scopes']
    const fixed = [data['name'], allowed, data['writeKeyHint'], data['allowedOrigins'] ?? null, data['requestsPerMinute'] ?? null, since[0]!.recordedAt, data['replaces'] ?? null]
    return [[appId, keyId, issuer, ...fixed, ends.length === 0 ? null : Math.min(...ends), of('ApiKeyRevoked')[0]?.recordedAt ?? null, replacedBy]]
  })
}

const textOrNull = (bytes: Uint8Array | ArrayBuffer | null): string | null => (bytes === null ? null : textOfId(bytes))
const sorted = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).sort()

async function shownApps(database: Database, build: number): Promise<unknown[]> {
  const rows = (await database.knex('apps').where({ build })) as AppRow[]
  return rows.map((row) => [
    ...[textOfId(row.app_id), textOfId(row.owner_id), textOrNull(row.organisation_id), row.name, row.url, row.timezone, row.ip, JSON.parse(row.keep_query) as unknown],
    ...[row.created_at, row.updated_at, row.deleted_at],
  ])
}

async function shownKeys(database: Database, build: number): Promise<unknown[]> {
  const rows = (await database.knex('api_keys').where({ build })) as KeyRow[]
  return rows.map((row) => [
    ...[textOfId(row.app_id), textOfId(row.key_id), textOfId(row.issued_by), row.name, row.scopes.split(' '), row.write_key_hint],
    ...[row.allowed_origins === null ? null : (JSON.parse(row.allowed_origins) as unknown), row.requests_per_minute, row.created_at, textOrNull(row.replaces)],
    ...[row.expires_at, row.revoked_at, textOrNull(row.replaced_by)],
  ])
}

async function shownUse(database: Database, build: number): Promise<unknown[]> {
  const rows = (await database.knex('key_use').where({ build })) as { app_id: Uint8Array; key_id: Uint8Array; events: number; last_used_at: number }[]
  return rows.map((row) => [textOfId(row.app_id), textOfId(row.key_id), row.events, row.last_used_at])
}

for (const engine of ENGINES) {
  describe(`the read models of apps and keys on ${engine}`, function () {
    this.timeout(120_000)
    const numRuns = engine === 'sqlite' ? 40 : 10
    let stage: Stage
    let builds = 0

    before(async () => {
      stage = await openStage(engine)
    })
    after(() => stage.close())

    it('say what the log says, however it was cut, and a rebuild says the same', async () => {
      const check = async (said: readonly Said[], cut: Cuts): Promise<void> => {
        const events = eventsOf(said)
        for (const how of [cut, { page: 1_000, stretch: 1_000 }]) {
          const build = ++builds
          await foldInto(apps, stage.database, build, events, how)
          await foldInto(keys, stage.database, build, events, how)
          assert.deepEqual(sorted(await shownApps(stage.database, build)), sorted(plainApps(events)))
          assert.deepEqual(sorted(await shownKeys(stage.database, build)), sorted(plainKeys(events)))
        }
      }
      await fc.assert(fc.asyncProperty(history, cuts, check), { numRuns, examples: [[CHANGED, { page: 1, stretch: 1 }]] })
    })

    it('count each key\'s events and when it was last used, and nobody\'s for nobody', async () => {
      const check = async (said: readonly { appId: string; meta: string | null; later: number }[], cut: Cuts): Promise<void> => {
        let at = 1_000
        const events = said.map(({ appId, meta, later }, index): FoldEvent => ({ ...eventsOf([{ type: 'EventCollected', appId, data: { event: 'x' } }])[0]!, position: index + 1, meta, recordedAt: (at += later) }))
        const expected = APPS.flatMap((appId) =>
          KEYS.flatMap(({ keyId }) => {
            const own = events.filter((event) => event.appId === appId && event.meta === JSON.stringify({ keyId }))
            return own.length === 0 ? [] : [[appId, keyId, own.length, own.at(-1)!.recordedAt]]
          }),
        )
        const build = ++builds
        await foldInto(keyUse, stage.database, build, events, cut)
        assert.deepEqual(sorted(await shownUse(stage.database, build)), sorted(expected))
      }
      await fc.assert(fc.asyncProperty(collected, cuts, check), { numRuns })
    })
  })
}
