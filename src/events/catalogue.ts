// Every event type there is, and the one way from stored bytes to the newest shape.
import { accountCreated } from './accountCreated.ts'
import { accountUpdated } from './accountUpdated.ts'
import { apiKeyAdopted } from './apiKeyAdopted.ts'
import { apiKeyIssued } from './apiKeyIssued.ts'
import { apiKeyRevoked } from './apiKeyRevoked.ts'
import { apiKeyRotated } from './apiKeyRotated.ts'
import { appDeleted } from './appDeleted.ts'
import { appGranted } from './appGranted.ts'
import { appGrantEnded } from './appGrantEnded.ts'
import { appRegistered } from './appRegistered.ts'
import { appSettingsApplied } from './appSettingsApplied.ts'
import { appTransferred } from './appTransferred.ts'
import { appUpdated } from './appUpdated.ts'
import { dimensionDefined } from './dimensionDefined.ts'
import { dimensionRetired } from './dimensionRetired.ts'
import { eventCollected } from './eventCollected.ts'
import { eventCorrected } from './eventCorrected.ts'
import { eventDiscarded } from './eventDiscarded.ts'
import type { StoredEvent } from './eventLog.ts'
import { eventReleased } from './eventReleased.ts'
import { eventRetracted } from './eventRetracted.ts'
import type { EventType } from './eventType.ts'
import { goalDefined } from './goalDefined.ts'
import { goalRetired } from './goalRetired.ts'
import { goalRevised } from './goalRevised.ts'
import { invitationAccepted } from './invitationAccepted.ts'
import { invitationRevoked } from './invitationRevoked.ts'
import { memberInvited } from './memberInvited.ts'
import { memberJoined } from './memberJoined.ts'
import { memberRemoved } from './memberRemoved.ts'
import { memberRoleChanged } from './memberRoleChanged.ts'
import { organisationCreated } from './organisationCreated.ts'
import { organisationUpdated } from './organisationUpdated.ts'
import { projectionOperated } from './projectionOperated.ts'
import { reportDefined } from './reportDefined.ts'
import { reportRetired } from './reportRetired.ts'
import { reportRevised } from './reportRevised.ts'
import { signedIn } from './signedIn.ts'
import { signedOut } from './signedOut.ts'
import { signedOutEverywhere } from './signedOutEverywhere.ts'

const ALL = [
  accountCreated,
  accountUpdated,
  apiKeyAdopted,
  apiKeyIssued,
  apiKeyRevoked,
  apiKeyRotated,
  appDeleted,
  appGrantEnded,
  appGranted,
  appRegistered,
  appSettingsApplied,
  appTransferred,
  appUpdated,
  dimensionDefined,
  dimensionRetired,
  eventCollected,
  eventCorrected,
  eventDiscarded,
  eventReleased,
  eventRetracted,
  goalDefined,
  goalRetired,
  goalRevised,
  invitationAccepted,
  invitationRevoked,
  memberInvited,
  memberJoined,
  memberRemoved,
  memberRoleChanged,
  organisationCreated,
  organisationUpdated,
  projectionOperated,
  reportDefined,
  reportRetired,
  reportRevised,
  signedIn,
  signedOut,
  signedOutEverywhere,
] as const

type DataOf<T> = T extends EventType<infer Data> ? Data : never

export const CATALOGUE: ReadonlyMap<string, EventType> = new Map(ALL.map((type) => [type.type, type]))

/** A stored event with its data parsed and upcast; `data` is null where redaction removed it. */
export type FoldEvent<Data = unknown> = Omit<StoredEvent, 'data'> & { readonly data: Data | null }

// A class, so that all decoded events have one shape for the compiler; ids are spelled out only when somebody reads them.
class DecodedEvent implements FoldEvent {
  readonly partition: number
  readonly position: number
  readonly type: string
  readonly schemaVersion: number
  readonly occurredAt: number
  readonly recordedAt: number
  readonly stream: string | null
  readonly streamVersion: number | null
  readonly meta: string | null

  constructor(
    private readonly stored: StoredEvent,
    readonly data: unknown,
  ) {
    this.partition = stored.partition
    this.position = stored.position
    this.type = stored.type
    this.schemaVersion = stored.schemaVersion
    this.occurredAt = stored.occurredAt
    this.recordedAt = stored.recordedAt
    this.stream = stored.stream
    this.streamVersion = stored.streamVersion
    this.meta = stored.meta
  }

  get eventId(): string {
    return this.stored.eventId
  }

  get appId(): string {
    return this.stored.appId
  }
}

/** Parses and upcasts. Throws on an unknown type or version and on data that is not JSON: a poison event for a fold. */
export function decode(event: StoredEvent): FoldEvent {
  return new DecodedEvent(event, decodeData(event))
}

/** The data of one stored event in its type's newest shape; null where redaction removed it. */
export function decodeData(event: Pick<StoredEvent, 'type' | 'schemaVersion' | 'data'>, catalogue = CATALOGUE): unknown {
  if (event.data === null) return null
  const type = catalogue.get(event.type)
  if (type === undefined) throw new TypeError(`unknown event type ${event.type}`)
  if (event.schemaVersion > type.schemaVersion) {
    throw new TypeError(`${event.type} version ${event.schemaVersion} is newer than this program`)
  }
  let data: unknown = JSON.parse(event.data)
  for (let version = event.schemaVersion; version < type.schemaVersion; version++) {
    data = type.upcasters[version - 1]!(data as never)
  }
  return data
}

/** Narrows a decoded event to one type of the catalogue. */
export function isEvent<T extends EventType>(event: FoldEvent, type: T): event is FoldEvent<DataOf<T>> {
  return event.type === type.type
}
