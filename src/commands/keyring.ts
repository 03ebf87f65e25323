// Who may do what, folded by every process from the control partition: never read from a read model, which may lag.
import type { AppSettings, Scope } from '../events/schemas.ts'

export interface AccountState {
  readonly accountId: string
  readonly role: 'owner'
}

export interface AppState {
  readonly appId: string
  readonly ownerId: string
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

/** The folded control partition. Reading is synchronous and cheap: /collect asks it for every request. */
export interface ControlState {
  /** Last position of partition 0 that is folded in. */
  readonly position: number
  account(accountId: string): AccountState | undefined
  accounts(): Iterable<AccountState>
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
