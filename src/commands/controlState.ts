// The fold of the control partition: pure memory, no clock and no store, so that every process that has read the same
// positions knows the same. It fails closed: an event it does not know stops it, because it may be one that takes a right
// away.
import { apiKeyAdopted } from '../events/apiKeyAdopted.ts'
import { apiKeyIssued, type ApiKeyIssued } from '../events/apiKeyIssued.ts'
import { apiKeyRevoked } from '../events/apiKeyRevoked.ts'
import { apiKeyRotated } from '../events/apiKeyRotated.ts'
import { appDeleted } from '../events/appDeleted.ts'
import { appRegistered } from '../events/appRegistered.ts'
import { appTransferred } from '../events/appTransferred.ts'
import { appUpdated } from '../events/appUpdated.ts'
import { type FoldEvent, isEvent } from '../events/catalogue.ts'
import { FIRST_ORGANISATION } from '../events/organisations.ts'
import { projectionOperated } from '../events/projectionOperated.ts'
import { signedIn } from '../events/signedIn.ts'
import { Lru } from '../kernel/lru.ts'
import { LIMITS } from '../limits.ts'
import { type CommandMeta, parseCommandMeta } from '../events/commandMeta.ts'
import type { AppState, CommandState, ControlState, KeyState } from './keyring.ts'
import { FoldedPeople } from './peopleState.ts'

export class FoldedControl extends FoldedPeople implements ControlState {
  private lastPosition = 0
  private lastWithdrawal = 0
  private readonly appsById: Map<string, AppState>
  private readonly keysById = new Map<string, KeyState>()
  private readonly keyIdByHash = new Map<string, string>()
  private readonly keyIdsByApp = new Map<string, Set<string>>()
  private readonly versions = new Map<string, number>()
  private readonly commands = new Lru<string, CommandState>(LIMITS.commandsRemembered)

  constructor(private readonly partitionOf: (appId: string) => number) {
    const apps = new Map<string, AppState>()
    super((appId) => apps.get(appId)?.organisationId)
    this.appsById = apps
  }

  get position(): number {
    return this.lastPosition
  }

  get withdrawnAt(): number {
    return this.lastWithdrawal
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
    // Redaction left nothing to fold; what the event once allowed is unknown from here on.
    if (event.data !== null && !this.evolve(event)) this.evolveApps(event)
    if (event.stream !== null && event.streamVersion !== null) this.versions.set(event.stream, event.streamVersion)
    const meta = parseCommandMeta(event.meta)
    if (meta !== undefined) this.remember(event.eventId, meta)
    if (meta?.withdraws === true) this.lastWithdrawal = event.position
    this.lastPosition = event.position
  }

  private evolveApps(event: FoldEvent): void {
    const { occurredAt, position } = event
    if (isEvent(event, appRegistered)) {
      const { appId, organisationId = FIRST_ORGANISATION, name, url, settings } = event.data!
      const partition = this.partitionOf(appId)
      this.appsById.set(appId, { appId, organisationId, name, url, settings, partition, createdAt: occurredAt, deleted: false, position })
    } else if (isEvent(event, appUpdated)) {
      const { appId, settings, ...rest } = event.data!
      this.changeApp(appId, position, (app) => ({ ...rest, settings: { ...app.settings, ...settings } }))
    } else if (isEvent(event, appTransferred)) {
      const { appId, organisationId } = event.data!
      this.changeApp(appId, position, () => ({ organisationId }))
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
    } else if (isEvent(event, apiKeyAdopted)) {
      const { keyId, issuedBy, scopes } = event.data!
      this.changeKey(keyId, (key) => ({ issuedBy, scopes: scopes ?? key.scopes }))
    } else if (!isEvent(event, signedIn) && !isEvent(event, projectionOperated)) {
      throw new TypeError(`the control partition holds ${event.type}, which this program does not fold`)
    }
  }

  private addKey(issued: ApiKeyIssued, createdAt: number): void {
    const { keyId, appId, issuedBy, name, scopes, writeKeyHash, writeKeyHint, expiresAt, allowedOrigins, requestsPerMinute } = issued
    const described = { keyId, appId, issuedBy, name, scopes, writeKeyHash, writeKeyHint, expiresAt, allowedOrigins, requestsPerMinute }
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
