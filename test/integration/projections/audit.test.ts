// The audit log is the same however the log was cut into stretches, rebuilt or verified, on either engine; and holds no secret.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { NO_DEFINITIONS } from '../../../src/events/definitions.ts'
import type { NewEvent } from '../../../src/events/eventLog.ts'
import { uuidv7 } from '../../../src/kernel/ids.ts'
import { audit as projection } from '../../../src/projections/audit/audit.ts'
import { liveBuild } from '../../../src/projections/builds.ts'
import { eventReader } from '../../../src/projections/eventReader.ts'
import { FoldingEvent } from '../../../src/projections/foldingEvent.ts'
import type { Projection } from '../../../src/projections/projection.ts'
import { replay } from '../../../src/projections/replay.ts'
import { verifyReadModels } from '../../../src/projections/verify.ts'
import { by, type Given, id, logOf, type Said } from '../../unit/projections/auditing.ts'
import { type Driver, type Engine, openDriver } from '../readModels/driver.ts'

const audit = projection as Projection
const SECRET = { writeKeyHash: 'ab'.repeat(32), tokenHash: 'cd'.repeat(32), googleId: 'google-id-of-somebody' }

const account = fc.constantFrom(id('ann'), id('bob'), id('eve'))
const organisation = fc.constantFrom(id('bakery'), id('brewery'))
const app = fc.constantFrom(id('site'), id('shop'))
const key = fc.constantFrom(id('key 1'), id('key 2'), id('key 3'))
const role = fc.constantFrom('viewer', 'analyst', 'admin')
const name = fc.constantFrom('One', 'Two')
const settings = { timezone: 'UTC', ip: 'truncate', keepQuery: [] }

const kinds: Readonly<Record<string, fc.Arbitrary<object>>> = {
  AccountCreated: fc.record({ accountId: account, googleId: fc.constant(SECRET.googleId), email: name.map((one) => `${one}@x.example`) }),
  AccountUpdated: fc.record({ accountId: account, googleId: fc.constant(SECRET.googleId), name }),
  SignedIn: fc.record({ accountId: account, method: fc.constant('google'), sessionId: key }),
  SignedOutEverywhere: fc.record({ accountId: account }),
  OrganisationCreated: fc.record({ organisationId: organisation, name }),
  OrganisationUpdated: fc.record({ organisationId: organisation, name }),
  MemberJoined: fc.record({ organisationId: organisation, accountId: account, role, through: fc.constant('domain') }),
  MemberRoleChanged: fc.record({ organisationId: organisation, accountId: account, role }),
  MemberRemoved: fc.record({ organisationId: organisation, accountId: account }),
  MemberInvited: fc.record({ invitationId: key, organisationId: organisation, role, tokenHash: fc.constant(SECRET.tokenHash), expiresAt: fc.constant(5) }),
  InvitationRevoked: fc.record({ invitationId: key, organisationId: organisation }),
  InvitationAccepted: fc.record({ invitationId: key, organisationId: organisation, accountId: account }),
  AppRegistered: fc.record({ appId: app, ownerId: account, organisationId: organisation, name, settings: fc.constant(settings) }),
  AppUpdated: fc.record({ appId: app, name }),
  AppTransferred: fc.record({ appId: app, from: organisation, organisationId: organisation }),
  AppDeleted: fc.record({ appId: app }),
  AppGranted: fc.record({ appId: app, accountId: account, role }),
  AppGrantEnded: fc.record({ appId: app, accountId: account }),
  ApiKeyIssued: fc.record({ keyId: key, appId: app, issuedBy: account, name, scopes: fc.constant(['query']), writeKeyHash: fc.constant(SECRET.writeKeyHash), writeKeyHint: fc.constant('rk_a') }),
  ApiKeyRotated: fc.record({ keyId: key, appId: app, replacedBy: key, endsAt: fc.integer({ min: 1, max: 9 }) }),
  ApiKeyRevoked: fc.record({ keyId: key, appId: app }),
  ApiKeyAdopted: fc.record({ keyId: key, appId: app, issuedBy: account, scopes: fc.constantFrom(undefined, ['query']) }),
  ProjectionOperated: fc.record({ projection: fc.constant('web'), action: fc.constant('rebuild'), appId: app }),
}

const said = fc.oneof(...Object.entries(kinds).map(([type, data]) => data.map((one): Said => ({ type, data: one }))))
const commands = fc.array(fc.tuple(fc.option(account, { nil: undefined }), fc.array(said, { minLength: 1, maxLength: 5 })), { minLength: 70, maxLength: 120 })

function history(seed: number): readonly Given[] {
  const [sampled] = fc.sample(commands, { numRuns: 1, seed })
  return sampled!.map(([actor, events]) => by(actor, ...events))
}

/** Each command in an append of its own, as the bus does it. */
async function append({ log }: Driver, given: readonly Given[]): Promise<void> {
  for (const { actor, events } of given) {
    const commandId = uuidv7()
    const written = logOf([by(actor, ...events)]).map(({ appId, type, schemaVersion, data, occurredAt, meta, stream }): NewEvent => {
      const command = JSON.stringify({ ...(JSON.parse(meta!) as object), commandId })
      return { eventId: uuidv7(), appId, type, schemaVersion, data: JSON.stringify(data), occurredAt, meta: command, stream: stream! }
    })
    await log.append({ partition: 0, packs: [{ deliveryId: uuidv7(), partition: 0, receivedAt: Date.now(), events: written, rejected: [] }] })
  }
}

/** Several pages of a few events to each transaction: what a page reads must not undo what those before it have folded. */
async function foldInPages({ log, database }: Driver, build: number): Promise<void> {
  const reader = eventReader(log, 0)
  for (let after = 0, more = true; more; ) {
    const state = projection.start(null, { timezoneOf: () => 'UTC', definitionsOf: () => NO_DEFINITIONS })
    for (let page = 0; page < 4 && more; page++) {
      const events = (await log.read(0, after, 3)).map((stored) => new FoldingEvent(stored))
      await projection.load!(database.knex, build, state, events, reader)
      projection.fold(state, events)
      after = events.at(-1)?.position ?? after
      more = events.length === 3
    }
    await database.knex.transaction((trx) => projection.write(trx, build, state))
  }
}

for (const engine of ['sqlite', 'mysql'] as const satisfies readonly Engine[]) {
  describe(`the audit log on ${engine}`, function () {
    this.timeout(120_000)
    let driver: Driver

    beforeEach(async () => {
      driver = await openDriver(engine)
    })
    afterEach(() => driver.close())

    for (const seed of engine === 'sqlite' ? [1, 2, 3] : [7]) {
      it(`is the same however the log was cut (history ${seed})`, async () => {
        await append(driver, history(seed).slice(0, engine === 'sqlite' ? 70 : 30))
        const rows: unknown[] = []
        for (const [stretch, forget] of [[5_000, Infinity], [1, 1], [seed + 1, 2]] as const) {
          const build = await driver.build(audit, true)
          await driver.fold(audit, build, stretch, forget)
          rows.push(await driver.rows(audit, build))
        }
        const paged = await driver.build(audit, true)
        await foldInPages(driver, paged)
        const [whole, single, some] = rows
        assert.deepEqual(await driver.rows(audit, paged), whole)
        assert.deepEqual(single, whole)
        assert.deepEqual(some, whole)
        const text = JSON.stringify(whole)
        for (const secret of Object.values(SECRET)) assert.ok(!text.includes(secret), secret)
      })
    }

    it('is what the log says, live and rebuilt', async () => {
      const { log, database } = driver
      await append(driver, history(8))
      await driver.fold(audit, await driver.build(audit), 3)
      const [verified] = await verifyReadModels({ log, database, projections: [audit] })
      assert.ok(verified!.rows > 50, String(verified!.rows))
      assert.deepEqual(verified!.differences, [])
      const before = await driver.rows(audit, 1)
      await replay({ log, database, projection: audit })
      const live = await liveBuild(database.knex, 'audit')
      assert.notEqual(live, 1)
      assert.deepEqual(await driver.rows(audit, live!), before)
    })
  })
}
