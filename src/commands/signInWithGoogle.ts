// Lets a person in whom Google has named; whoever calls has checked Google's answer. Google's lasting id alone says who it
// is, because addresses change hands. Google never makes somebody an owner by itself: the first one is whom the operator
// has named, and everybody else comes by an invitation or by a domain that an organisation has opened.
import { Problem } from '../errors.ts'
import { accountCreated, type AccountCreated } from '../events/accountCreated.ts'
import { accountUpdated, type AccountUpdated } from '../events/accountUpdated.ts'
import { email } from '../events/organisations.ts'
import { objectSchema, uuid } from '../events/schemas.ts'
import { signedIn, type SignedIn } from '../events/signedIn.ts'
import { NIL_UUID, uuidv5 } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import type { Command, Decided } from './commandBus.ts'
import { invitationFor, isFull, joined, joinedByInvitation, sameEmail } from './joining.ts'
import type { AccountState, ControlState } from './keyring.ts'
import { belongs } from './roles.ts'
import { OWNER_ID } from './signInOwner.ts'

export interface SignInWithGoogle {
  googleId: string
  email: string
  emailVerified: boolean
  name?: string
  /** The domain of the company that manages the account (`hd`); a private account has none, whatever its address. */
  hostedDomain?: string
  /** Whom the operator has named as the first owner. */
  ownerEmail?: string
  /** Of the link by which they came. */
  invitationHash?: string
  sessionId: string
}

/** Who it is, and what is written before they belong anywhere. */
interface Person {
  readonly accountId: string
  readonly events: readonly Decided[]
  /** Undefined: nobody whom the log knows; they come in by what is decided next, or not at all. */
  readonly belongs: boolean | undefined
}

export const signInWithGoogle: Command<SignInWithGoogle, { accountId: string }> = {
  name: 'SignInWithGoogle',
  schema: {
    ...objectSchema(
      {
        googleId: { type: 'string', minLength: 1, maxLength: LIMITS.eventNameChars },
        email,
        emailVerified: { type: 'boolean' },
        name: { type: 'string', maxLength: LIMITS.urlChars },
        hostedDomain: { type: 'string', maxLength: LIMITS.emailChars },
        ownerEmail: email,
        invitationHash: { type: 'string', pattern: '^[0-9a-f]{64}$' },
        sessionId: uuid,
      },
      ['googleId', 'email', 'emailVerified', 'sessionId'],
    ),
    ...{ title: 'SignInWithGoogle', description: 'A person signs in; Google\'s answer was checked before.' },
  },
  decide(state, input, { now }) {
    if (!input.emailVerified) throw new Problem('email_unverified')
    const person = personOf(state, input)
    const { accountId } = person
    const joins = person.belongs === undefined ? firstJoins(state, input, accountId, now) : invitedJoins(state, input, accountId, now)
    if (person.belongs !== true && joins.length === 0) throw new Problem('not_invited')
    const data: SignedIn = { accountId, method: 'google', sessionId: input.sessionId }
    return {
      events: [...person.events, ...joins, { type: signedIn, stream: `account:${accountId}`, appId: NIL_UUID, data }],
      result: { accountId },
      guards: guardsOf(state, input.googleId, accountId),
    }
  },
}

function personOf(state: ControlState, input: SignInWithGoogle): Person {
  const known = state.accountByGoogleId(input.googleId)
  if (known !== undefined) return { accountId: known.accountId, events: updated(known, input), belongs: belongs(state, known.accountId) }
  if (input.ownerEmail !== undefined && sameEmail(input.ownerEmail, input.email)) {
    const owner = state.account(OWNER_ID)
    if (owner === undefined) return { accountId: OWNER_ID, events: [created(OWNER_ID, input, 'owner')], belongs: true }
    if (owner.googleId === undefined && belongs(state, OWNER_ID)) return { accountId: OWNER_ID, events: updated(owner, input), belongs: true }
  }
  const accountId = googleAccountId(input.googleId)
  return { accountId, events: [created(accountId, input)], belongs: undefined }
}

/** Derived, so that one person who signs in twice at once meets themselves in one stream. */
function googleAccountId(googleId: string): string {
  return uuidv5(NIL_UUID, `google:${googleId}`)
}

function firstJoins(state: ControlState, input: SignInWithGoogle, accountId: string, now: number): Decided[] {
  if (input.invitationHash !== undefined) return invitedJoins(state, input, accountId, now)
  const open = domainsOpenTo(state, input)
  const joins = open.filter(({ organisationId }) => !isFull(state, organisationId))
  if (open.length > 0 && joins.length === 0) throw new Problem('limit_reached', `An organisation has at most ${LIMITS.membersPerOrganisation} members`)
  return joins.map(({ organisationId, role }) => joined({ organisationId, accountId, role, through: 'domain' }))
}

/** Who belongs to the organisation already just signs in, and the link stays good for somebody else. */
function invitedJoins(state: ControlState, input: SignInWithGoogle, accountId: string, now: number): Decided[] {
  if (input.invitationHash === undefined) return []
  const organisationId = state.invitationByHash(input.invitationHash)?.organisationId
  if (organisationId !== undefined && state.member(organisationId, accountId) !== undefined) return []
  return joinedByInvitation(state, invitationFor(state, input.invitationHash, input.email, now), accountId)
}

function domainsOpenTo(state: ControlState, { email, hostedDomain }: SignInWithGoogle) {
  const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase()
  // A private Google account can bear a company's address; only `hd` says that the company manages it.
  if (hostedDomain?.toLowerCase() !== domain) return []
  return [...state.organisations()].flatMap(({ organisationId, allowedDomains }) => {
    const allowed = allowedDomains.find((entry) => entry.domain === domain)
    return allowed === undefined ? [] : [{ organisationId, role: allowed.role }]
  })
}

function created(accountId: string, input: SignInWithGoogle, role?: 'owner'): Decided {
  const data: AccountCreated = { accountId, ...(role === undefined ? {} : { role }), ...identityOf(input) }
  return { type: accountCreated, stream: `account:${accountId}`, appId: NIL_UUID, data }
}

function updated(known: AccountState, input: SignInWithGoogle): Decided[] {
  const changed = Object.fromEntries(Object.entries(identityOf(input)).filter(([field, value]) => value !== known[field as keyof AccountState]))
  if (Object.keys(changed).length === 0) return []
  const data: AccountUpdated = { accountId: known.accountId, ...changed }
  return [{ type: accountUpdated, stream: `account:${known.accountId}`, appId: NIL_UUID, data }]
}

function identityOf({ googleId, email, name }: SignInWithGoogle): { googleId: string; email: string; name?: string } {
  const kept = Array.from(name?.trim() ?? '').slice(0, LIMITS.eventNameChars).join('').trim()
  return { googleId, email, ...(kept === '' ? {} : { name: kept }) }
}

/** That the Google account is still nobody else's, and that whoever belonged somewhere still does. */
function guardsOf(state: ControlState, googleId: string, accountId: string): string[] {
  const accounts = [`account:${OWNER_ID}`, `account:${googleAccountId(googleId)}`]
  const [membership] = state.membershipsOf(accountId)
  return membership === undefined ? accounts : [...accounts, `organisation:${membership.organisationId}`]
}
