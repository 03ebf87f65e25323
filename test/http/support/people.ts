// People of every role, and another organisation with its own: made through the commands that real ones go through, and signed
// in as a browser would be.
import { createInvitationToken } from '../../../src/commands/invitationToken.ts'
import { acceptInvitation } from '../../../src/commands/acceptInvitation.ts'
import { createOrganisation } from '../../../src/commands/createOrganisation.ts'
import { inviteMember, type InviteMember } from '../../../src/commands/inviteMember.ts'
import { issueApiKey } from '../../../src/commands/issueApiKey.ts'
import { registerApp } from '../../../src/commands/registerApp.ts'
import { removeMember } from '../../../src/commands/removeMember.ts'
import { OWNER_ID } from '../../../src/commands/signInOwner.ts'
import { signInWithGoogle } from '../../../src/commands/signInWithGoogle.ts'
import { createWriteKey } from '../../../src/commands/writeKey.ts'
import { FIRST_ORGANISATION, type MemberRole } from '../../../src/events/organisations.ts'
import type { Scope } from '../../../src/events/schemas.ts'
import { uuidv7 } from '../../../src/kernel/ids.ts'
import type { Fixture } from './fixture.ts'

export interface Person {
  readonly accountId: string
  readonly sessionId: string
  readonly token: string
  readonly email: string
}

export interface Key {
  readonly keyId: string
  readonly token: string
  readonly writeKey: string
}

export interface Organisation {
  readonly organisationId: string
  readonly ownerId: string
  readonly ownerToken: string
  readonly appId: string
  /** All scopes, issued by its owner. */
  readonly key: Key
  readonly guest: Person
}

type Part = Pick<Fixture, 'bus' | 'tokens' | 'keyring'>

/** Invited by an owner, and signed in with Google through the link. `apps`: grants that come with the invitation. */
export async function memberOf(fixture: Part, role: MemberRole, organisationId = FIRST_ORGANISATION, apps: InviteMember['apps'] = []): Promise<Person> {
  const invitationHash = await invited(fixture, { organisationId, role, apps })
  return signIn(fixture, { invitationHash })
}

let signedUp = 0

/** Somebody new unless `googleId` is given. */
export async function signIn(fixture: Part, { invitationHash, googleId = `google-${++signedUp}-${uuidv7()}`, email = `${googleId}@example.com` }: { invitationHash?: string; googleId?: string; email?: string }): Promise<Person> {
  const sessionId = uuidv7()
  const input = { googleId, email, emailVerified: true, name: `Person ${signedUp}`, sessionId, ...(invitationHash === undefined ? {} : { invitationHash }) }
  const { accountId } = await fixture.bus.execute(signInWithGoogle, input, { actor: undefined })
  return { accountId, sessionId, email, token: tokenOf(fixture, accountId, sessionId) }
}

/** Somebody who is signed in joins one organisation more. */
export async function join(fixture: Part, { accountId }: Pick<Person, 'accountId'>, role: MemberRole, organisationId: string): Promise<void> {
  const tokenHash = await invited(fixture, { organisationId, role })
  await fixture.bus.execute(acceptInvitation, { tokenHash }, { actor: accountId })
}

/** Another organisation, with an owner who is nobody in the first one, an app with a key, and a guest who sees nothing. */
export async function otherOrganisation(fixture: Part): Promise<Organisation> {
  const { organisationId } = await fixture.bus.execute(createOrganisation, { name: 'The other one' }, { actor: OWNER_ID })
  const owner = await memberOf(fixture, 'owner', organisationId)
  await fixture.bus.execute(removeMember, { organisationId, accountId: OWNER_ID }, { actor: owner.accountId })
  const { appId } = await fixture.bus.execute(registerApp, { name: 'Their app', organisationId }, { actor: owner.accountId })
  const key = await keyOf(fixture, owner, appId)
  const guest = await memberOf(fixture, 'guest', organisationId)
  return { organisationId, ownerId: owner.accountId, ownerToken: owner.token, appId, key, guest }
}

/** A key that this person issued. */
export async function keyOf(fixture: Part, { accountId }: Pick<Person, 'accountId'>, appId: string, scopes: Scope[] = ['collect', 'query', 'people']): Promise<Key> {
  const { writeKey, ...secret } = createWriteKey()
  const { keyId } = await fixture.bus.execute(issueApiKey, { appId, scopes }, { actor: accountId, secret })
  return { keyId, writeKey, token: fixture.tokens.issueAnalytics({ keyId, appId, expiresAt: undefined }) }
}

/** One that stands on nothing but the account as it is now. */
export function tokenOf({ tokens, keyring }: Part, accountId: string, sessionId = uuidv7()): string {
  const { generation } = keyring.state.account(accountId)!
  return tokens.issueUser({ accountId, sessionId, generation }).token
}

async function invited({ bus, keyring }: Part, input: Omit<InviteMember, 'tokenHash'>): Promise<string> {
  const { tokenHash } = createInvitationToken()
  const owner = [...keyring.state.membersOf(input.organisationId)].find(({ role }) => role === 'owner')
  if (owner === undefined) throw new Error('the organisation has no owner')
  await bus.execute(inviteMember, { ...input, tokenHash }, { actor: owner.accountId })
  return tokenHash
}
