// Who may do what, folded by every process from the control partition: never read from a read model, which may lag.
import type { AllowedDomain, GrantRole, MemberRole } from '../events/organisations.ts'
import type { AppSettings, Scope } from '../events/schemas.ts'

export interface AccountState {
  readonly accountId: string
  /** Google's lasting id; undefined: signs in with the owner code. */
  readonly googleId: string | undefined
  readonly email: string | undefined
  readonly name: string | undefined
  /** How often the account was signed out everywhere or left its last organisation: a token of an earlier generation is worth nothing. */
  readonly generation: number
  readonly createdAt: number
}

export interface OrganisationState {
  readonly organisationId: string
  readonly name: string
  readonly allowedDomains: readonly AllowedDomain[]
}

export interface MemberState {
  readonly organisationId: string
  readonly accountId: string
  readonly role: MemberRole
  readonly joinedAt: number
}

export interface InvitationState {
  readonly invitationId: string
  readonly organisationId: string
  readonly role: MemberRole
  readonly apps: readonly { readonly appId: string; readonly role: GrantRole }[]
  readonly email: string | undefined
  readonly tokenHash: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
  readonly invitedBy: string | undefined
  readonly createdAt: number
  /** Whether the link still works is also a matter of expiresAt. */
  readonly state: 'open' | 'accepted' | 'revoked'
}

export interface AppState {
  readonly appId: string
  readonly organisationId: string
  readonly name: string
  readonly url: string | undefined
  readonly settings: AppSettings
  readonly partition: number
  readonly createdAt: number
  readonly deleted: boolean
  /** Position in the control partition of the last event that changed it. */
  readonly position: number
}

export interface KeyState {
  readonly keyId: string
  readonly appId: string
  readonly issuedBy: string
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly writeKeyHash: string
  readonly writeKeyHint: string
  /** Epoch milliseconds; undefined: never. The earlier of its own expiry and the end of a rotation's overlap. */
  readonly expiresAt: number | undefined
  readonly allowedOrigins: readonly string[] | undefined
  /** Over all processes; undefined: no limit of its own. */
  readonly requestsPerMinute: number | undefined
  readonly replacedBy: string | undefined
  readonly revoked: boolean
  readonly createdAt: number
}

/** A command that was carried out: what a retry of it is answered. */
export interface CommandState {
  readonly command: string
  /** Tells one execution of a command from a retry of it. */
  readonly execution: string
  readonly actor: string | undefined
  readonly result: Readonly<Record<string, unknown>> | undefined
  readonly eventIds: readonly string[]
}

/** Who there is, and who belongs where. What it means for what they may do is in roles.ts. */
export interface PeopleState {
  account(accountId: string): AccountState | undefined
  accounts(): Iterable<AccountState>
  accountByGoogleId(googleId: string): AccountState | undefined
  /** The first organisation is there from the beginning. */
  organisation(organisationId: string): OrganisationState | undefined
  organisations(): Iterable<OrganisationState>
  member(organisationId: string, accountId: string): MemberState | undefined
  membersOf(organisationId: string): Iterable<MemberState>
  /** Where an account belongs. */
  membershipsOf(accountId: string): Iterable<MemberState>
  /** What was granted on one app, besides roles in its organisation. */
  grant(appId: string, accountId: string): GrantRole | undefined
  grantsOf(appId: string): ReadonlyMap<string, GrantRole>
  invitation(invitationId: string): InvitationState | undefined
  invitationByHash(tokenHash: string): InvitationState | undefined
  invitationsOf(organisationId: string): Iterable<InvitationState>
  /** Whether a session was ended before its time. */
  sessionEnded(sessionId: string): boolean
}

/** The folded control partition. Reading is synchronous and cheap: /collect asks it for every request. */
export interface ControlState extends PeopleState {
  /** Last position of partition 0 that is folded in. */
  readonly position: number
  /** That of the last command that took something away from somebody; 0: none did. */
  readonly withdrawnAt: number
  app(appId: string): AppState | undefined
  apps(): Iterable<AppState>
  key(keyId: string): KeyState | undefined
  keyByHash(writeKeyHash: string): KeyState | undefined
  keysOf(appId: string): Iterable<KeyState>
  /** Version of an aggregate's stream as folded, 0 when it does not exist. */
  version(stream: string): number
  /** What a command did, while it is among the last LIMITS.commandsRemembered. */
  command(commandId: string): CommandState | undefined
}

export interface Keyring {
  readonly state: ControlState
  /** Folds everything and starts following (poke and poll). */
  start(): Promise<void>
  stop(): Promise<void>
  /** Reads to the present; calls that overlap share one read. Throws when the log cannot be read. */
  refresh(): Promise<void>
  /** False when the state may be older than a second and the epoch cannot vouch for it: answer 503, not 401. */
  trusted(): Promise<boolean> | boolean
}
