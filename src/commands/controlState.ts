// The fold of the control partition: pure memory, no clock and no store, so that every process that has read the same
// positions knows the same. It fails closed: an event it does not know stops it, because it may be one that takes a right
// away.
import { accountCreated } from '../events/accountCreated.ts'
import { apiKeyIssued, type ApiKeyIssued } from '../events/apiKeyIssued.ts'
import { apiKeyRevoked } from '../events/apiKeyRevoked.ts'
import { apiKeyRotated } from '../events/apiKeyRotated.ts'
import { appDeleted } from '../events/appDeleted.ts'
import { appRegistered } from '../events/appRegistered.ts'
import { appUpdated } from '../events/appUpdated.ts'
import { type FoldEvent, isEvent } from '../events/catalogue.ts'
import { signedIn } from '../events/signedIn.ts'
import { Lru } from '../kernel/lru.ts'
import { LIMITS } from '../limits.ts'
import { type CommandMeta, parseCommandMeta } from '../events/commandMeta.ts'
import type { AccountState, AppState, CommandState, ControlState, KeyState } from './keyring.ts'

export class FoldedControl implements ControlState {
  private lastPosition = 0
  private readonly accountsById = new Map<string, AccountState>()
  private readonly appsById = new Map<string, AppState>()
  private readonly keysById = new Map<string, KeyState>()
  private readonly keyIdByHash = new Map<string, string>()
  private readonly keyIdsByApp = new Map<string, Set<string>>()
  private readonly versions = new Map<string, number>()
  private readonly commands = new Lru<string, CommandState>(LIMITS.commandsRemembered)

  constructor(private readonly partitionOf: (appId: string) => number) {}

  get position(): number {
    return this.lastPosition
  }

  account(accountId: string): AccountState | undefined {
    return this.accountsById.get(accountId)
  }

  accounts(): Iterable<AccountState> {
    return this.accountsById.values()
  }

  app(appId: string): AppState | undefined {
    return this.appsById.get(appId)
  }

  apps(): Iterable<AppState> {
    return this.appsById.values()
  }

  key(keyId: string): KeyState | undefined {
    return this.keysById.get(keyId)
  }

  keyByHash(writeKeyHash: string): KeyState | undefined {
    const keyId = this.keyIdByHash.get(writeKeyHash)
    return keyId === undefined ? undefined : this.keysById.get(keyId)
  }

  *keysOf(appId: string): Iterable<KeyState> {
    for (const keyId of this.keyIdsByApp.get(appId) ?? []) yield this.keysById.get(keyId)!
  }

  version(stream: string): number {
    return this.versions.get(stream) ?? 0
  }

  command(commandId: string): CommandState | undefined {
    return this.commands.get(commandId)
  }

  /** Folds the next event. Throws, with nothing changed, on a gap and on an event that this program does not know. */
  apply(event: FoldEvent): void {
    if (event.position !== this.lastPosition + 1) {
      throw new Error(`control position ${event.position} follows ${this.lastPosition}`)
    }
    this.evolve(event)
    if (event.stream !== null && event.streamVersion !== null) this.versions.set(event.stream, event.streamVersion)
    const meta = parseCommandMeta(event.meta)
    if (meta !== undefined) this.remember(event.eventId, meta)
    this.lastPosition = event.position
  }

  private evolve(event: FoldEvent): void {
    const { data, occurredAt, position } = event
    // Redaction left nothing to fold; what the event once allowed is unknown from here on.
    if (data === null) return
    if (isEvent(event, accountCreated)) {
      const account = event.data!
      this.accountsById.set(account.accountId, account)
    } else if (isEvent(event, appRegistered)) {
      const app = event.data!
      const partition = this.partitionOf(app.appId)
      this.appsById.set(app.appId, { ...app, url: app.url, partition, createdAt: occurredAt, deleted: false, position })
    } else if (isEvent(event, appUpdated)) {
      const { appId, settings, ...rest } = event.data!
      this.changeApp(appId, position, (app) => ({ ...rest, settings: { ...app.settings, ...settings } }))
    } else if (isEvent(event, appDeleted)) {
      const { appId } = event.data!
      this.changeApp(appId, position, () => ({ deleted: true }))
      for (const key of this.keysOf(appId)) this.changeKey(key.keyId, () => ({ revoked: true }))
    } else {
      this.evolveKeys(event)
    }
  }

  private evolveKeys(event: FoldEvent): void {
    if (isEvent(event, apiKeyIssued)) {
      this.addKey(event.data!, event.occurredAt)
    } else if (isEvent(event, apiKeyRotated)) {
      const { keyId, replacedBy, endsAt } = event.data!
      this.changeKey(keyId, (key) => ({ replacedBy, expiresAt: Math.min(key.expiresAt ?? endsAt, endsAt) }))
    } else if (isEvent(event, apiKeyRevoked)) {
      this.changeKey(event.data!.keyId, () => ({ revoked: true }))
    } else if (!isEvent(event, signedIn)) {
      throw new TypeError(`the control partition holds ${event.type}, which this program does not fold`)
    }
  }

  private addKey(issued: ApiKeyIssued, createdAt: number): void {
    const { keyId, appId, issuedBy, name, scopes, writeKeyHash, writeKeyHint, expiresAt, allowedOrigins } = issued
    const described = { keyId, appId, issuedBy, name, scopes, writeKeyHash, writeKeyHint, expiresAt, allowedOrigins }
    this.keysById.set(keyId, { ...described, replacedBy: undefined, revoked: false, createdAt })
    this.keyIdByHash.set(writeKeyHash, keyId)
    const ofApp = this.keyIdsByApp.get(appId)
    if (ofApp === undefined) this.keyIdsByApp.set(appId, new Set([keyId]))
    else ofApp.add(keyId)
  }

  private changeApp(appId: string, position: number, change: (app: AppState) => Partial<AppState>): void {
    const app = this.appsById.get(appId)
    if (app !== undefined) this.appsById.set(appId, { ...app, ...change(app), position })
  }

  private changeKey(keyId: string, change: (key: KeyState) => Partial<KeyState>): void {
    const key = this.keysById.get(keyId)
    if (key !== undefined) this.keysById.set(keyId, { ...key, ...change(key) })
  }

  private remember(eventId: string, meta: CommandMeta): void {
    const { commandId, ...rest } = meta
    const known = this.commands.get(commandId)
    if (known === undefined) this.commands.set(commandId, { ...rest, eventIds: [eventId] })
    else this.commands.set(commandId, { ...known, eventIds: [...known.eventIds, eventId] })
  }
}
