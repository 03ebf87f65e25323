// For every operation one request that asks for what is there, so that who asks decides the answer. A new route needs an
// entry here: the matrix fails without it, and says so.
import { randomBytes } from 'node:crypto'
import { grantApp } from '../../../src/commands/grantApp.ts'
import { createInvitationToken } from '../../../src/commands/invitationToken.ts'
import { inviteMember } from '../../../src/commands/inviteMember.ts'
import { type Fixture, OWNER_CODE } from './fixture.ts'
import { define, freshApp, freshEvent, type World } from './matrixWorld.ts'
import { keyOf, memberOf, otherOrganisation, tokenOf } from './people.ts'

export interface Call {
  /** By name, for the path. */
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Record<string, string>
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Sample {
  /** Made anew whenever one was used: what can be done once only must be there every time. */
  call(world: World): Call | Promise<Call>
  /** What else than 2xx whoever may is answered: status and code, as in `409 already_running`. */
  readonly answers?: readonly string[]
  /** True for an answer that goes on. */
  readonly stream?: true
}

const NOTHING: Sample = { call: () => ({}) }
const PROJECTION = { name: 'restatements' }

/** A question about the app. */
function asking(query: Readonly<Record<string, string>> = {}): Sample {
  return { call: ({ home: { appId } }) => ({ query: { appId, ...query } }) }
}

function telling(body: () => Record<string, unknown>): Sample {
  return { call: ({ home: { appId } }) => ({ body: { appId, ...body() } }) }
}

function operating(body: Record<string, unknown>, ...answers: string[]): Sample {
  return { call: () => ({ params: PROJECTION, body }), answers }
}

// No UUID, which tests of ids would take for one.
const named = (): string => `A ${randomBytes(9).toString('base64url')}`

const OPERATIONS: Readonly<Record<string, Sample>> = {
  root: NOTHING,
  openapi: NOTHING,
  apiDocs: NOTHING,
  live: NOTHING,
  ready: NOTHING,
  // From this machine anybody may read them.
  metrics: { call: () => ({ headers: { 'x-forwarded-for': '203.0.113.9' } }) },
  listProjections: NOTHING,
  logHeads: NOTHING,
  projectionProgress: { ...NOTHING, stream: true },
  rebuildProjection: operating({ dry: true }, '409 already_running'),
  pauseProjection: operating({}, '404 not_found'),
  dropBuild: operating({ build: 2_000_000_000 }, '404 not_found'),
  switchProjection: operating({ build: 2_000_000_000 }, '404 not_found'),
  rollbackProjection: operating({ build: 2_000_000_000 }, '404 not_found'),
}

const APPS: Readonly<Record<string, Sample>> = {
  registerApp: { call: ({ home: { organisationId } }) => ({ body: { name: 'New', organisationId } }) },
  listApps: NOTHING,
  getApp: { call: ({ home: { appId } }) => ({ params: { appId } }) },
  updateApp: { call: ({ home: { appId } }) => ({ params: { appId }, body: { name: named() } }) },
  deleteApp: { call: async (world) => ({ params: { appId: await freshApp(world) } }) },
  transferApp: { call: async (world) => ({ params: { appId: await freshApp(world) }, body: { organisationId: world.annexId } }) },
  issueApiKey: telling(() => ({ scopes: ['query'] })),
  listApiKeys: asking(),
  rotateApiKey: { call: async (world) => ({ body: { keyId: await freshKey(world) } }) },
  revokeApiKey: { call: async (world) => ({ body: { keyId: await freshKey(world) } }) },
}

const EVENTS: Readonly<Record<string, Sample>> = {
  collect: { call: () => ({ body: { event: 'signup', userId: 'ada' } }) },
  browseEvents: asking(),
  oneEvent: { call: ({ home: { appId, eventId } }) => ({ params: { eventId }, query: { appId } }) },
  correctEvent: {
    call: ({ home: { appId, eventId } }) => ({ params: { eventId }, query: { appId }, body: { changes: { title: named() }, reason: 'a trial' } }),
  },
  retractEvent: {
    call: async ({ fixture, home: { appId }, keys }) => ({ params: { eventId: await freshEvent(fixture, keys.all.token) }, query: { appId }, body: { reason: 'a trial' } }),
  },
}

const QUARANTINE: Readonly<Record<string, Sample>> = {
  ledger: asking(),
  listQuarantine: asking(),
  getQuarantined: { call: async (world) => ({ params: { number: await freshlyRefused(world) }, query: { appId: world.home.appId } }) },
  discardQuarantined: { call: async (world) => ({ params: { number: await freshlyRefused(world) }, query: { appId: world.home.appId } }) },
  releaseQuarantined: {
    call: async (world) => ({ params: { number: await freshlyRefused(world) }, body: { appId: world.home.appId, event: { event: 'signup', userId: 'ada' } } }),
  },
  releaseMany: telling(() => ({ code: 'timestamp_in_future' })),
}

const ANALYTICS: Readonly<Record<string, Sample>> = {
  eventSummary: asking(),
  userStats: asking({ userId: 'ada' }),
  overview: asking(),
  timeseries: asking({ interval: 'day' }),
  breakdown: asking({ dimension: 'page' }),
  liveVisitors: asking(),
  visits: asking({ userId: 'ada' }),
  timeline: asking({ userId: 'ada' }),
  diff: asking({ question: 'overview', a: '1' }),
  restatements: asking(),
  restatementReasons: asking(),
  recount: telling(() => ({ question: 'overview' })),
  goals: asking(),
  goal: { call: ({ home: { appId, goalId } }) => ({ params: { definitionId: goalId }, query: { appId } }) },
  report: { call: ({ home: { appId, reportId } }) => ({ params: { definitionId: reportId }, query: { appId } }) },
}

const DEFINITIONS: Readonly<Record<string, Sample>> = {
  defineDimension: telling(() => ({ key: named() })),
  defineGoal: telling(() => ({ name: named(), event: 'signup' })),
  defineReport: telling(() => ({ name: named(), event: 'signup', measures: [{ measure: 'count' }], dimensions: [], interval: 'day' })),
  listDefinitions: asking(),
  getDefinition: { call: ({ home: { appId, goalId } }) => ({ params: { definitionId: goalId }, query: { appId } }) },
  reviseDefinition: { call: ({ home: { appId, reportId } }) => ({ params: { definitionId: reportId }, query: { appId }, body: { name: named() } }) },
  retireDefinition: {
    call: async ({ fixture, home: { appId, ownerId } }) => {
      return { params: { definitionId: await define(fixture, ownerId, 'goals', { appId, name: named(), event: 'signup' }) }, query: { appId } }
    },
  },
}

const ACCOUNTS: Readonly<Record<string, Sample>> = {
  signInLocal: { call: () => ({ body: { code: OWNER_CODE } }) },
  refresh: {
    call: async ({ fixture }) => {
      const { refreshToken } = (await fixture.ask({ path: '/auth/local', body: { code: OWNER_CODE } })).body
      return { body: { refreshToken } }
    },
  },
  // Google is not set up here, and nobody has a code; what counts is that everybody hears the same.
  signInWithGoogle: { ...NOTHING, answers: ['404 not_found'] },
  googleCallback: { ...NOTHING, answers: ['404 not_found'] },
  exchangeCode: { call: () => ({ body: { code: '2222-2222-2222', verifier: 'v'.repeat(43) } }), answers: ['400 sign_in_failed', '429 rate_limited'] },
  signOut: { call: () => ({ body: {} }) },
  me: NOTHING,
  listSessions: NOTHING,
  // That of somebody else, which nobody may end.
  endSession: { call: async ({ fixture }) => ({ params: { sessionId: await sessionOf(fixture) } }), answers: ['404 not_found'] },
  signOutAccount: { call: async (world) => ({ params: { accountId: (await freshMember(world)).accountId } }) },
}

const HOME: Sample = { call: ({ home: { organisationId } }) => ({ params: { organisationId } }) }

const PEOPLE: Readonly<Record<string, Sample>> = {
  listOrganisations: NOTHING,
  createOrganisation: { call: () => ({ body: { name: named() } }) },
  getOrganisation: HOME,
  updateOrganisation: { call: ({ home: { organisationId } }) => ({ params: { organisationId }, body: { name: named() } }) },
  listMembers: HOME,
  changeMemberRole: { call: async (world) => ({ params: await freshMember(world), body: { role: 'analyst' } }) },
  removeMember: { call: async (world) => ({ params: await freshMember(world) }) },
  listInvitations: HOME,
  inviteMember: { call: ({ home: { organisationId } }) => ({ params: { organisationId }, body: { role: 'viewer' } }) },
  revokeInvitation: {
    call: async (world) => {
      const { organisationId } = world.home
      return { params: { organisationId, invitationId: (await freshInvitation(world, world.home)).invitationId } }
    },
  },
  invitation: { call: async (world) => ({ params: { token: (await freshInvitation(world, world.home)).token } }) },
  // To where nobody belongs yet who comes.
  acceptInvitation: { call: async (world) => ({ body: { token: (await freshInvitation(world, await otherOrganisation(world.fixture))).token } }) },
  auditLog: HOME,
  exportAuditLog: { call: ({ home: { organisationId } }) => ({ params: { organisationId }, query: { format: 'csv' } }) },
  listGrants: { call: ({ home: { appId } }) => ({ params: { appId } }) },
  grantApp: { call: async (world) => ({ params: { appId: world.home.appId, accountId: (await freshMember(world)).accountId }, body: { role: 'analyst' } }) },
  endAppGrant: {
    call: async (world) => {
      const { appId, ownerId } = world.home
      const { accountId } = await freshMember(world)
      await world.fixture.bus.execute(grantApp, { appId, accountId, role: 'admin' }, { actor: ownerId })
      return { params: { appId, accountId } }
    },
  },
}

/** Of whoever runs the installation. */
export async function sessionOf(fixture: Fixture): Promise<string> {
  const { token } = (await fixture.ask({ path: '/auth/local', body: { code: OWNER_CODE } })).body
  return fixture.tokens.verifyUser(token as string).sessionId
}

/** Its number. */
async function freshlyRefused({ fixture, home: { appId }, keys, people }: World): Promise<string> {
  await fixture.ask({ path: '/collect', token: keys.all.token, body: { event: 'signup', timestamp: '2999-01-01' } })
  const told = await fixture.ask({ path: `/quarantine?appId=${appId}&limit=1`, token: tokenOf(fixture, people.owner) })
  return String((told.body['events'] as { number: number }[])[0]!.number)
}

async function freshMember({ fixture, home: { organisationId } }: World): Promise<{ organisationId: string; accountId: string }> {
  return { organisationId, accountId: (await memberOf(fixture, 'viewer', organisationId)).accountId }
}

async function freshInvitation({ fixture }: World, { organisationId, ownerId }: { organisationId: string; ownerId: string }): Promise<{ invitationId: string; token: string }> {
  const { token, tokenHash } = createInvitationToken()
  const { invitationId } = await fixture.bus.execute(inviteMember, { organisationId, role: 'viewer', tokenHash }, { actor: ownerId })
  return { invitationId, token }
}

async function freshKey({ fixture, home: { appId, ownerId } }: World): Promise<string> {
  return (await keyOf(fixture, { accountId: ownerId }, appId, ['query'])).keyId
}

/** By operationId. */
export const SAMPLES: ReadonlyMap<string, Sample> = new Map(
  Object.entries({ ...OPERATIONS, ...APPS, ...EVENTS, ...QUARANTINE, ...ANALYTICS, ...DEFINITIONS, ...ACCOUNTS, ...PEOPLE }),
)
