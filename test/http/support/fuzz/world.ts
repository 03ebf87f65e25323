// Whom requests of the fuzz are made as and what they are about: an organisation with somebody of each role and a key of each
// kind, and another one, whose every name holds a canary that nobody outside may ever be shown. It is made anew now and
// then, because requests delete apps, end sessions and revoke keys.
import assert from 'node:assert/strict'
import { createOrganisation } from '../../../../src/commands/createOrganisation.ts'
import { deleteApp } from '../../../../src/commands/deleteApp.ts'
import { createInvitationToken } from '../../../../src/commands/invitationToken.ts'
import { inviteMember } from '../../../../src/commands/inviteMember.ts'
import { registerApp } from '../../../../src/commands/registerApp.ts'
import { removeMember } from '../../../../src/commands/removeMember.ts'
import { revokeApiKey } from '../../../../src/commands/revokeApiKey.ts'
import { OWNER_ID } from '../../../../src/commands/signInOwner.ts'
import { signOut } from '../../../../src/commands/signOut.ts'
import type { Scope } from '../../../../src/events/schemas.ts'
import { createTokens } from '../../../../src/http/tokens.ts'
import { uuidv7 } from '../../../../src/kernel/ids.ts'
import { PROJECTIONS } from '../../../../src/projections/all.ts'
import { type Fixture, JWT_SECRET, METRICS_TOKEN, OWNER_CODE } from '../fixture.ts'
import { type Key, keyOf, memberOf, signIn, tokenOf } from '../people.ts'

export interface Credential {
  readonly name: string
  /** Who may see what the canary is in. */
  readonly isRival: boolean
  readonly isOperator: boolean
  readonly headers: Readonly<Record<string, string>>
}

/** Ids and texts by the name of the field or parameter that takes them. */
export type Things = Readonly<Record<string, readonly string[]>>

export interface World {
  readonly url: string
  readonly canary: string
  readonly credentials: readonly Credential[]
  readonly home: Things
  readonly rivals: Things
}

const HOUR_MS = 3_600_000

export async function buildWorld(fixture: Fixture): Promise<World> {
  const canary = `canary${uuidv7().replaceAll('-', '').slice(-12)}`
  const home = await furnished(fixture, 'Bakery')
  const rivals = await furnished(fixture, canary)
  const away = home.things
  return {
    ...{ url: fixture.url, canary, rivals: { ...rivals.things, token: rivals.invitations } },
    home: { ...away, ...TEXTS, ...TIMES(Date.now()), name: [...PROJECTIONS.map(({ name }) => name), 'Shop'], code: [OWNER_CODE, 'wrong'], refreshToken: [fixture.tokens.sealRefresh(uuidv7(), 1)], token: home.invitations },
    credentials: [...(await credentialsOf(fixture, home)), ...rivals.credentials.map((credential) => ({ ...credential, isRival: true }))],
  }
}

const TEXTS: Things = {
  event: ['pageview', 'purchase', 'signup'],
  userId: ['ada', 'bob'],
  filter: ['metadata.plan is "pro"', 'page is "/p" and country in (DE, FR)', 'event is not "signup"', 'page is', '(((', 'metadata.plan contains "%"'],
  dimension: ['page', 'country', 'metadata.plan', 'event', 'source', 'entryPage', 'metadata.undeclared'],
  asOf: ['1', '3', '999999999'],
  a: ['1', '2'],
  b: ['3', '4'],
  cursor: ['bm9uZQ', '0'],
  timezone: ['Europe/Berlin', 'America/New_York', 'UTC'],
}

function TIMES(now: number): Things {
  const at = (hours: number): string => new Date(now + hours * HOUR_MS).toISOString()
  return {
    from: [at(-24 * 40).slice(0, 10), at(-2), at(-24 * 300).slice(0, 10)],
    to: [at(1), at(24).slice(0, 10), at(-1)],
    timestamp: [at(-1), at(-24 * 3)],
    sentAt: [at(0)],
    expiresAt: [at(24)],
  }
}

interface Side {
  readonly ownerId: string
  readonly appId: string
  readonly organisationId: string
  readonly things: Things
  /** Whoever has one may see whose it is, so those of the other organisation are shown to nobody. */
  readonly invitations: readonly string[]
  readonly credentials: readonly Credential[]
}

/** An organisation, whose names all begin with this word, with apps, events, definitions and keys. */
async function furnished(fixture: Fixture, word: string): Promise<Side> {
  const { bus } = fixture
  const { organisationId } = await bus.execute(createOrganisation, { name: word }, { actor: OWNER_ID })
  const { tokenHash } = createInvitationToken()
  await bus.execute(inviteMember, { organisationId, role: 'owner', tokenHash }, { actor: OWNER_ID })
  const { accountId: actor, token } = await signIn(fixture, { invitationHash: tokenHash, googleId: `${word}-${uuidv7()}` })
  await bus.execute(removeMember, { organisationId, accountId: OWNER_ID }, { actor })
  const register = async (name: string): Promise<string> => (await bus.execute(registerApp, { name: `${word} ${name}`, organisationId }, { actor })).appId
  const [appId, spare, deleted] = [await register('shop'), await register('spare'), await register('gone')]
  await bus.execute(deleteApp, { appId: deleted }, { actor })
  const key = await keyOf(fixture, { accountId: actor }, appId)
  const eventIds = await events(fixture, key, word)
  const definitionIds = await definitions(fixture, token, appId, word)
  const open = createInvitationToken()
  const { invitationId } = await bus.execute(inviteMember, { organisationId, role: 'viewer', tokenHash: open.tokenHash }, { actor })
  const person = await memberOf(fixture, 'viewer', organisationId)
  const things = {
    ...{ appId: [appId, appId, appId, spare, deleted], organisationId: [organisationId], accountId: [actor, person.accountId], keyId: [key.keyId], invitationId: [invitationId] },
    ...{ eventId: eventIds, after: eventIds, definitionId: definitionIds, anonymousId: [`${word}-visitor`] },
  }
  return { ownerId: actor, appId, organisationId, things, invitations: [open.token], credentials: [bearer('the owner', token), bearer('a key', key.token), bearer('a write key', key.writeKey)] }
}

async function events(fixture: Fixture, { token }: Key, word: string): Promise<string[]> {
  const plan = { metadata: { plan: 'pro', amount: 12.5, [word]: word } }
  const body = [
    { event: 'pageview', url: `https://${word.toLowerCase()}.example/p`, title: word, anonymousId: `${word}-visitor` },
    { event: 'pageview', url: `https://${word.toLowerCase()}.example/q`, anonymousId: `${word}-visitor`, ...plan },
    { event: 'purchase', userId: `${word}-ada`, value: 3, currency: 'EUR', ...plan },
    { event: 'purchase', userId: 'ada', ...plan },
    { event: `${word}-event`, userId: 'bob' },
  ]
  const told = await fixture.ask({ path: '/collect?ack=stored', token, body })
  assert.equal(told.status, 201, told.text)
  return told.body['ids'] as string[]
}

async function definitions(fixture: Fixture, token: string, appId: string, word: string): Promise<string[]> {
  const bodies = [
    ['goals', { appId, name: `${word} bought`, event: 'purchase' }],
    ['reports', { appId, name: `${word} counted`, measures: [{ measure: 'count' }], dimensions: ['metadata.plan'], interval: 'day' }],
    ['dimensions', { appId, key: 'plan' }],
  ] as const
  const ids: string[] = []
  for (const [kind, body] of bodies) {
    const told = await fixture.ask({ path: `/definitions/${kind}`, token, body })
    assert.equal(told.status, 201, told.text)
    ids.push(told.body['definitionId'] as string)
  }
  return ids
}

async function credentialsOf(fixture: Fixture, { ownerId, appId, organisationId, things, credentials }: Side): Promise<Credential[]> {
  const { bus, tokens } = fixture
  const own = await Promise.all((['admin', 'analyst', 'viewer', 'guest'] as const).map(async (role) => bearer(`the ${role}`, (await memberOf(fixture, role, organisationId)).token)))
  const granted = await memberOf(fixture, 'guest', organisationId, [{ appId, role: 'analyst' }])
  const [gone, ended] = [await memberOf(fixture, 'admin', organisationId), await memberOf(fixture, 'admin', organisationId)]
  await bus.execute(removeMember, { organisationId, accountId: gone.accountId }, { actor: ownerId })
  await bus.execute(signOut, { sessionId: ended.sessionId }, { actor: ended.accountId })
  const key = (scopes: Scope[]): Promise<Key> => keyOf(fixture, { accountId: ownerId }, appId, scopes)
  const [collecting, querying, reading, revoked] = [await key(['collect']), await key(['query']), await key(['people']), await key(['collect', 'query', 'people'])]
  await bus.execute(revokeApiKey, { keyId: revoked.keyId }, { actor: ownerId })
  const ownerToken = tokenOf(fixture, ownerId)
  const past = createTokens({ jwtSecret: JWT_SECRET }, { now: () => Date.now() - HOUR_MS })
  const session = { accountId: ownerId, sessionId: uuidv7(), generation: fixture.keyring.state.account(ownerId)!.generation }
  const cookie = { cookie: `recount_user=${ownerToken}` }
  return [
    ...credentials,
    ...own,
    { ...bearer('who runs it', tokenOf(fixture, OWNER_ID)), isOperator: true },
    ...[bearer('a guest with a grant', granted.token), bearer('who was removed', gone.token), bearer('who signed out', ended.token)],
    ...[as('a cookie', cookie), as('a cookie from here', { ...cookie, origin: fixture.url }), as('a cookie from elsewhere', { ...cookie, origin: 'https://evil.example' })],
    ...[bearer('a collecting key', collecting.token), bearer('a querying key', querying.token), bearer('a key for people', reading.token), bearer('a revoked key', revoked.token)],
    ...[as('a key in its header', { 'x-api-key': querying.token }), as('a write key in its header', { 'x-api-key': collecting.writeKey })],
    bearer('an expired user token', past.issueUser(session).token),
    bearer('an expired key', tokens.issueAnalytics({ keyId: things['keyId']![0]!, appId, expiresAt: Date.now() - HOUR_MS })),
    ...[bearer('a refresh token', tokens.sealRefresh(session.sessionId, 0)), bearer('the metrics token', METRICS_TOKEN), bearer('garbage', 'eyJhbGciOiJub25lIn0.e30.')],
    ...[as('another scheme', { authorization: 'Basic YWRhOng=' }), as('nothing', {})],
  ]
}

function bearer(name: string, token: string): Credential {
  return as(name, { authorization: `Bearer ${token}` })
}

function as(name: string, headers: Record<string, string>): Credential {
  return { name, isRival: false, isOperator: false, headers }
}
