// The read model of people says what the keyring says, whatever order things happened in and however the log was cut into
// stretches and pages: a list must never show a right that is not there, nor lack one that is.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { FoldedControl } from '../../../src/commands/controlState.ts'
import type { FoldEvent } from '../../../src/events/catalogue.ts'
import { formatCommandMeta } from '../../../src/events/commandMeta.ts'
import { FIRST_ORGANISATION, GRANT_ROLES, MEMBER_ROLES } from '../../../src/events/organisations.ts'
import type { Database } from '../../../src/kernel/database.ts'
import { NIL_UUID, uuidv5 } from '../../../src/kernel/ids.ts'
import { writing } from '../../../src/projections/checkpoints.ts'
import { organisations } from '../../../src/projections/organisations/organisations.ts'
import type { AccountRow, GrantRow, InvitationRow, MemberRow, OrganisationRow } from '../../../src/projections/organisations/rows.ts'
import type { EventReader, FoldContext } from '../../../src/projections/projection.ts'
import { textOfId } from '../../../src/projections/storage/rows.ts'
import { ENGINES, openStage, type Stage } from './stage.ts'

const id = (name: string): string => uuidv5(NIL_UUID, name)
const ACCOUNTS = ['alice', 'bob', 'carol'].map(id)
const ORGANISATIONS = [FIRST_ORGANISATION, id('bakery'), id('mill')]
const APPS = ['shop', 'blog', 'intranet'].map(id)
/** Each of one organisation. */
const INVITATIONS = ORGANISATIONS.flatMap((organisationId) => ['first', 'second'].map((name) => ({ organisationId, invitationId: id(`${name} ${organisationId}`) })))

interface Said {
  readonly type: string
  readonly data: Record<string, unknown> | null
}

const account = fc.constantFrom(...ACCOUNTS)
const organisation = fc.constantFrom(...ORGANISATIONS)
const app = fc.constantFrom(...APPS)
const invitation = fc.constantFrom(...INVITATIONS)
const role = fc.constantFrom(...MEMBER_ROLES)
const grantRole = fc.constantFrom(...GRANT_ROLES)
const name = fc.constantFrom('One', 'Two')
const email = fc.constantFrom('one@bakery.example', 'two@bakery.example')

const KINDS: Record<string, Record<string, fc.Arbitrary<unknown>>> = {
  AccountCreated: { accountId: account, email, name, role: fc.constantFrom('owner', undefined) },
  AccountUpdated: { accountId: account, email: fc.option(email, { nil: undefined }), name },
  SignedIn: { accountId: account, method: fc.constant('google') },
  OrganisationCreated: { organisationId: organisation, name },
  OrganisationUpdated: { organisationId: organisation, name: fc.option(name, { nil: undefined }), allowedDomains: fc.constantFrom(undefined, [{ domain: 'bakery.example', role: 'viewer' }]) },
  MemberJoined: { organisationId: organisation, accountId: account, role, through: fc.constant('invitation') },
  MemberRoleChanged: { organisationId: organisation, accountId: account, role },
  MemberRemoved: { organisationId: organisation, accountId: account },
  AppRegistered: { appId: app, ownerId: account, organisationId: organisation, name, settings: fc.constant({ timezone: 'UTC', ip: 'truncate', keepQuery: [] }) },
  AppTransferred: { appId: app, from: organisation, organisationId: organisation },
  AppDeleted: { appId: app },
  AppGranted: { appId: app, accountId: account, role: grantRole },
  AppGrantEnded: { appId: app, accountId: account },
}

const invitations = invitation.chain((which) =>
  fc.oneof(
    fc.record({ role, email: fc.option(email, { nil: undefined }) }).map((more): Said => ({ type: 'MemberInvited', data: { ...which, ...more, tokenHash: '1f'.repeat(32), expiresAt: 5_000, apps: [{ appId: APPS[0], role: 'viewer' }] } })),
    account.map((accountId): Said => ({ type: 'InvitationAccepted', data: { ...which, accountId } })),
    fc.constant<Said>({ type: 'InvitationRevoked', data: which }),
  ),
)
const anything = fc.oneof(...Object.entries(KINDS).map(([type, fields]) => fc.record(fields).map((data): Said => ({ type, data: JSON.parse(JSON.stringify(data)) as Said['data'] }))))
const redacted = fc.constantFrom(...Object.keys(KINDS)).map((type): Said => ({ type, data: null }))
const history = fc.array(fc.oneof({ weight: 20, arbitrary: anything }, { weight: 4, arbitrary: invitations }, { weight: 1, arbitrary: redacted }), { minLength: 1, maxLength: 60 })

const [alice, bob] = ACCOUNTS as [string, string]
const [, bakery, mill] = ORGANISATIONS as [string, string, string]
const [shop, blog, intranet] = APPS as [string, string, string]
const registered = (appId: string, organisationId: string): Said => ({ type: 'AppRegistered', data: { appId, ownerId: alice, organisationId, name: 'App', settings: {} } })
const granted = (appId: string, accountId: string): Said => ({ type: 'AppGranted', data: { appId, accountId, role: 'viewer' } })

function eventsOf(said: readonly Said[]): FoldEvent[] {
  return said.map(({ type, data }, index) => ({
    ...{ partition: 0, position: index + 1, eventId: id(`event ${index}`), appId: typeof data?.['appId'] === 'string' ? data['appId'] : NIL_UUID },
    ...{ type, schemaVersion: 1, occurredAt: 1_000 + index, recordedAt: 2_000 + index, data, stream: null, streamVersion: null },
    meta: formatCommandMeta({ commandId: id(`command ${index}`), command: 'Test', execution: '', actor: ACCOUNTS[index % 3], result: undefined }),
  }))
}

/** As the projector does it; a cut after every `page` events, a transaction after every `stretch`. */
async function foldInto(database: Database, build: number, events: readonly FoldEvent[], { page, stretch }: { page: number; stretch: number }): Promise<void> {
  const folded = events.filter(({ type }) => organisations.eventTypes.includes(type))
  for (let from = 0; from < folded.length; from += stretch) {
    const state = organisations.start(null, {} as FoldContext)
    const own = folded.slice(from, from + stretch)
    for (let at = 0; at < own.length; at += page) {
      const some = own.slice(at, at + page)
      await organisations.load!(database.knex, build, state, some, {} as EventReader)
      organisations.fold(state, some)
    }
    await writing(database, (trx) => organisations.write(trx, build, state))
  }
}

async function rowsOf<Row>(database: Database, table: string, build: number): Promise<Row[]> {
  return (await database.knex(table).where({ build })) as Row[]
}

async function shown(database: Database, build: number): Promise<Record<string, string[]>> {
  const accounts = await rowsOf<AccountRow>(database, 'accounts', build)
  const owned = await rowsOf<OrganisationRow>(database, 'organisations', build)
  const members = await rowsOf<MemberRow>(database, 'members', build)
  const invited = await rowsOf<InvitationRow>(database, 'invitations', build)
  const grants = await rowsOf<GrantRow>(database, 'app_grants', build)
  return {
    accounts: accounts.map((row) => line(textOfId(row.account_id), row.email, row.name, row.created_at)).sort(),
    organisations: owned.map((row) => line(textOfId(row.organisation_id), row.name, JSON.parse(row.allowed_domains))).sort(),
    members: members.map((row) => line(textOfId(row.organisation_id), textOfId(row.account_id), row.role, row.joined_at)).sort(),
    invitations: invited.map((row) => line(textOfId(row.invitation_id), row.role, JSON.parse(row.apps), row.email, row.invited_by === null ? null : textOfId(row.invited_by), row.created_at, row.expires_at, row.state)).sort(),
    grants: grants.map((row) => line(textOfId(row.app_id), textOfId(row.account_id), row.role)).sort(),
  }
}

function known(events: readonly FoldEvent[], shownOrganisations: readonly string[]): Record<string, string[]> {
  const state = new FoldedControl(() => 1)
  for (const event of events) state.apply(event)
  const all = ORGANISATIONS.flatMap((organisationId) => [...state.membersOf(organisationId)])
  const invited = ORGANISATIONS.flatMap((organisationId) => [...state.invitationsOf(organisationId)])
  // The first organisation is there before anything has happened in it; as a row once it has.
  const untouched = (organisationId: string): boolean => organisationId === FIRST_ORGANISATION && !shownOrganisations.some((one) => one.includes(FIRST_ORGANISATION))
  return {
    accounts: [...state.accounts()].map((one) => line(one.accountId, one.email ?? null, one.name ?? null, one.createdAt)).sort(),
    organisations: [...state.organisations()].filter(({ organisationId }) => !untouched(organisationId)).map((one) => line(one.organisationId, one.name, one.allowedDomains)).sort(),
    members: all.map((one) => line(one.organisationId, one.accountId, one.role, one.joinedAt)).sort(),
    invitations: invited.map((one) => line(one.invitationId, one.role, one.apps, one.email ?? null, one.invitedBy ?? null, one.createdAt, one.expiresAt, one.state)).sort(),
    grants: APPS.flatMap((appId) => [...state.grantsOf(appId)].map(([accountId, granted]) => line(appId, accountId, granted))).sort(),
  }
}

function line(...parts: unknown[]): string {
  return JSON.stringify(parts)
}

for (const engine of ENGINES) {
  describe(`the read model of people on ${engine}`, function () {
    this.timeout(120_000)
    let stage: Stage
    let builds = 0

    before(async () => {
      stage = await openStage(engine)
    })
    after(() => stage.close())

    it('says what the keyring says, however the log was cut', async () => {
      const cut = fc.record({ page: fc.integer({ min: 1, max: 7 }), stretch: fc.integer({ min: 1, max: 20 }) })
      const check = async (said: readonly Said[], cuts: { page: number; stretch: number }): Promise<void> => {
        const events = eventsOf(said)
        const build = ++builds
        await foldInto(stage.database, build, events, cuts)
        const found = await shown(stage.database, build)
        assert.deepEqual(found, known(events, found['organisations']!))
        const whole = ++builds
        await foldInto(stage.database, whole, events, { page: 1_000, stretch: 1_000 })
        for (const { name: table } of organisations.tables) {
          const bare = async (of: number): Promise<unknown[]> => (await stage.database.knex(table).where({ build: of })).map((row: object) => ({ ...row, build: 0 }))
          assert.deepEqual(await bare(build), await bare(whole), table)
        }
      }
      await fc.assert(fc.asyncProperty(history, cut, check), { numRuns: engine === 'sqlite' ? 150 : 25 })
    })

    it('takes a member\'s grants on the organisation\'s apps along, and no others', async () => {
      const said = [
        ...[registered(shop, bakery), registered(blog, mill), registered(intranet, mill), granted(shop, bob), granted(blog, bob), granted(blog, alice), granted(intranet, bob)],
        { type: 'AppTransferred', data: { appId: intranet, from: mill, organisationId: bakery } },
        ...[granted(intranet, bob), { type: 'MemberRemoved', data: { organisationId: bakery, accountId: bob } }],
      ]
      const build = ++builds
      await foldInto(stage.database, build, eventsOf(said), { page: 1, stretch: 1 })
      assert.deepEqual((await shown(stage.database, build))['grants'], [line(blog, alice, 'viewer'), line(blog, bob, 'viewer')].sort())
    })

    it('does not bring back from the tables what the stretch has ended before', async () => {
      const said = [
        ...[registered(shop, bakery), granted(shop, bob), { type: 'AppGrantEnded', data: { appId: shop, accountId: bob } }],
        { type: 'MemberRemoved', data: { organisationId: mill, accountId: bob } },
      ]
      const build = ++builds
      const events = eventsOf(said)
      await foldInto(stage.database, build, events.slice(0, 2), { page: 2, stretch: 2 })
      await foldInto(stage.database, build, events.slice(2), { page: 1, stretch: 2 })
      assert.deepEqual((await shown(stage.database, build))['grants'], [])
    })
  })
}
