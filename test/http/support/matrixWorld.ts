// Who there is for the access matrix: an organisation with an app and somebody of each role, another one of strangers, and
// whoever runs the installation, who belongs to neither. Everything came about by the commands that routes give.
import assert from 'node:assert/strict'
import { createOrganisation } from '../../../src/commands/createOrganisation.ts'
import { grantApp } from '../../../src/commands/grantApp.ts'
import { registerApp } from '../../../src/commands/registerApp.ts'
import { removeMember } from '../../../src/commands/removeMember.ts'
import { revokeApiKey } from '../../../src/commands/revokeApiKey.ts'
import { rotateApiKey } from '../../../src/commands/rotateApiKey.ts'
import { signOut } from '../../../src/commands/signOut.ts'
import { OWNER_ID } from '../../../src/commands/signInOwner.ts'
import { createWriteKey } from '../../../src/commands/writeKey.ts'
import type { MemberRole } from '../../../src/events/organisations.ts'
import type { Scope } from '../../../src/events/schemas.ts'
import { createTokens } from '../../../src/http/tokens.ts'
import { NIL_UUID, uuidv7 } from '../../../src/kernel/ids.ts'
import { type Fixture, JWT_SECRET } from './fixture.ts'
import { join, type Key, keyOf, memberOf, otherOrganisation, tokenOf } from './people.ts'

export type Person = 'operator' | 'owner' | 'admin' | 'analyst' | 'viewer' | 'guest' | 'grantedGuest' | 'grantedViewer' | 'removed' | 'moved' | 'rival'
export type KeyName = Scope | 'all' | 'rotatedAway' | 'revoked' | 'unknown' | 'rival'

/** An organisation with an app and what belongs to it: what a route can be asked about. */
export interface Place {
  readonly organisationId: string
  readonly appId: string
  readonly ownerId: string
  readonly keyId: string
  readonly eventId: string
  readonly goalId: string
  readonly reportId: string
}

export interface World {
  readonly fixture: Fixture
  readonly home: Place
  readonly rivals: Place
  /** Another organisation of the owner. */
  readonly annexId: string
  readonly people: Readonly<Record<Person, string>>
  readonly keys: Readonly<Record<KeyName, Key>>
}

type Group = Awaited<ReturnType<typeof otherOrganisation>>

const HOUR = 3_600_000
const ALL: Scope[] = ['collect', 'query', 'people']

export async function buildWorld(fixture: Fixture): Promise<World> {
  const [bakery, others] = [await otherOrganisation(fixture), await otherOrganisation(fixture)]
  const { organisationId, ownerId, appId } = bakery
  const member = async (role: MemberRole): Promise<string> => (await memberOf(fixture, role, organisationId)).accountId
  const people = {
    ...{ operator: OWNER_ID, owner: ownerId, rival: others.ownerId },
    ...{ admin: await member('admin'), analyst: await member('analyst'), viewer: await member('viewer'), guest: await member('guest') },
    ...{ grantedGuest: await member('guest'), grantedViewer: await member('viewer') },
    ...{ removed: await member('admin'), moved: await member('admin') },
  }
  await join(fixture, { accountId: people.moved }, 'viewer', others.organisationId)
  for (const accountId of [people.removed, people.moved]) await fixture.bus.execute(removeMember, { organisationId, accountId }, { actor: ownerId })
  await grant(fixture, people, appId)
  const { organisationId: annexId } = await fixture.bus.execute(createOrganisation, { name: 'Annex' }, { actor: OWNER_ID })
  await join(fixture, { accountId: ownerId }, 'owner', annexId)
  await fixture.bus.execute(removeMember, { organisationId: annexId, accountId: OWNER_ID }, { actor: ownerId })
  const unknown = { keyId: NIL_UUID, token: 'none', writeKey: `rk_${'x'.repeat(32)}` }
  const keys = { ...(await keysOf(fixture, bakery)), unknown, rival: others.key }
  return { fixture, annexId, people, keys, home: await furnish(fixture, bakery), rivals: await furnish(fixture, others) }
}

/** An app of the home organisation, with the grants of the first. */
export async function freshApp({ fixture, home, people }: World): Promise<string> {
  const { organisationId, ownerId } = home
  const { appId } = await fixture.bus.execute(registerApp, { name: 'Fresh', organisationId }, { actor: ownerId })
  await grant(fixture, people, appId)
  return appId
}

async function grant({ bus }: Fixture, people: World['people'], appId: string): Promise<void> {
  await bus.execute(grantApp, { appId, accountId: people.grantedGuest, role: 'viewer' }, { actor: people.owner })
  await bus.execute(grantApp, { appId, accountId: people.grantedViewer, role: 'admin' }, { actor: people.owner })
}

/** Events as a server sends them, in the log when this resolves. */
export async function freshEvent(fixture: Fixture, token: string): Promise<string> {
  const told = await fixture.ask({ path: '/collect?ack=stored', token, body: { event: 'pageview', url: 'https://bakery.example/', userId: 'ada' } })
  assert.equal(told.status, 201, told.text)
  return (told.body['ids'] as string[])[0]!
}

export async function define(fixture: Fixture, ownerId: string, kind: 'goals' | 'reports', body: Record<string, unknown>): Promise<string> {
  const told = await fixture.ask({ path: `/definitions/${kind}`, token: tokenOf(fixture, ownerId), body })
  assert.equal(told.status, 201, told.text)
  return told.body['definitionId'] as string
}

export function expiredTokenOf(fixture: Fixture, accountId: string): string {
  return createTokens({ jwtSecret: JWT_SECRET }, { now: () => Date.now() - HOUR }).issueUser(sessionOf(fixture, accountId)).token
}

export async function endedTokenOf(fixture: Fixture, accountId: string): Promise<string> {
  const session = sessionOf(fixture, accountId)
  await fixture.bus.execute(signOut, { sessionId: session.sessionId }, { actor: accountId })
  return fixture.tokens.issueUser(session).token
}

function sessionOf(fixture: Fixture, accountId: string): { accountId: string; sessionId: string; generation: number } {
  return { accountId, sessionId: uuidv7(), generation: fixture.keyring.state.account(accountId)!.generation }
}

async function furnish(fixture: Fixture, { organisationId, ownerId, appId, key }: Group): Promise<Place> {
  return {
    ...{ organisationId, ownerId, appId, keyId: key.keyId, eventId: await freshEvent(fixture, key.token) },
    goalId: await define(fixture, ownerId, 'goals', { appId, name: 'Seen', event: 'pageview' }),
    reportId: await define(fixture, ownerId, 'reports', { appId, name: 'Counted', event: 'pageview', measures: [{ measure: 'count' }], dimensions: [], interval: 'day' }),
  }
}

async function keysOf(fixture: Fixture, { appId, ownerId: accountId }: Group): Promise<Omit<World['keys'], 'rival' | 'unknown'>> {
  const { bus } = fixture
  const issue = (scopes: Scope[]): Promise<Key> => keyOf(fixture, { accountId }, appId, scopes)
  const [rotatedAway, revoked] = [await issue(ALL), await issue(ALL)]
  const { writeKeyHash, writeKeyHint } = createWriteKey()
  await bus.execute(rotateApiKey, { keyId: rotatedAway.keyId, overlapSeconds: 0 }, { actor: accountId, secret: { writeKeyHash, writeKeyHint } })
  await bus.execute(revokeApiKey, { keyId: revoked.keyId }, { actor: accountId })
  return { rotatedAway, revoked, collect: await issue(['collect']), query: await issue(['query']), people: await issue(['people']), all: await issue(ALL) }
}
