// The events of visits as the log holds them: read by the positions that visits keep, with what corrections made of them.
import { decode, type FoldEvent } from '../events/catalogue.ts'
import type { Content } from '../events/content.ts'
import { type EventCorrected, eventCorrected } from '../events/eventCorrected.ts'
import { Problem } from '../errors.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import { readContent } from '../projections/visitors/links.ts'
import { bytesOf } from '../projections/storage/rows.ts'
import { identityKey, identityOf } from '../projections/visitors/visitors.ts'
import { type ListedVisit, visitPositions } from '../projections/web/visitsRead.ts'
import type { Snapshot } from './query.ts'

export interface VisitEvent extends Content {
  /** As /collect answered it. */
  readonly eventId: string
}

/** What a visit began with; undefined where that was erased. */
export async function firstEvents(snapshot: Snapshot, visits: readonly ListedVisit[]): Promise<(VisitEvent | undefined)[]> {
  const collected = await eventsAt(snapshot, visits.map(({ startPosition }) => startPosition))
  const byPosition = new Map(collected.map((event) => [event.position, event]))
  return Promise.all(
    visits.map(async (visit) => {
      const event = byPosition.get(visit.startPosition)
      if (event !== undefined && event.occurredAt === visit.startMs) {
        const positions = await visitPositions(snapshot.trx, snapshot.build, snapshot.appId, visit)
        if (positions.includes(visit.startPosition)) return event
      }
      // What began the visit was corrected since: its content stands elsewhere.
      return (await eventsOf(snapshot, visit)).find(({ position }) => position === visit.startPosition)
    }),
  )
}

/** All events of a visit, oldest first, without what came before its start and what was erased. */
export async function eventsOf(snapshot: Snapshot, visit: ListedVisit): Promise<VisitEvent[]> {
  const positions = await visitPositions(snapshot.trx, snapshot.build, snapshot.appId, visit)
  if (positions.length > LIMITS.visitEventsRead) {
    throw new Problem('too_much_for_the_log', `A visit of this person has ${positions.length.toLocaleString('en-US')} events, and at most ${LIMITS.visitEventsRead.toLocaleString('en-US')} are read of one; GET /events lists them all`)
  }
  const events = await eventsAt(snapshot, positions)
  const { startMs, startPosition } = visit
  return events
    .filter(({ occurredAt, position }) => occurredAt > startMs || (occurredAt === startMs && position >= startPosition))
    .sort((left, right) => left.occurredAt - right.occurredAt || left.position - right.position)
}

async function eventsAt({ log, appId }: Snapshot, positions: readonly number[]): Promise<VisitEvent[]> {
  const partition = log.partitionOf(appId)
  const events: VisitEvent[] = []
  for (let at = 0; at < positions.length; at += LIMITS.readPageEvents) {
    for (const stored of await log.readAt(partition, positions.slice(at, at + LIMITS.readPageEvents))) {
      const event = decode(stored)
      const content = readContent(event)
      if (content !== undefined) events.push({ ...content, eventId: collectedId(event) })
    }
  }
  return events
}

/** A correction names the event that it corrects. */
function collectedId({ type, eventId, data }: FoldEvent): string {
  return type === eventCorrected.type ? (data as EventCorrected).eventId : eventId
}

/** Those of a person: who shares a browser or a session with others has no part in what they did. */
export async function onlyOf(snapshot: Snapshot, ordinals: ReadonlySet<number>, events: readonly VisitEvent[]): Promise<VisitEvent[]> {
  const keys = events.map(({ data }) => {
    const identity = identityOf(data)
    return identity === undefined ? undefined : identityKey(identity.kind, identity.id)
  })
  const known = await ordinalsOf(snapshot, keys)
  return events.filter((_, at) => ordinals.has(known.get(keys[at]?.toString('hex') ?? '') ?? -1))
}

async function ordinalsOf({ trx, build, appId }: Snapshot, identities: readonly (Buffer | undefined)[]): Promise<Map<string, number>> {
  const wanted = [...new Set(identities.flatMap((key) => (key === undefined ? [] : [key.toString('hex')])))]
  const ordinals = new Map<string, number>()
  for (let at = 0; at < wanted.length; at += LIMITS.rowsPerStatement) {
    const rows = await trx('web_visitors')
      .where({ build, app_id: uuidToBytes(appId) })
      .whereIn('identity', wanted.slice(at, at + LIMITS.rowsPerStatement).map((key) => Buffer.from(key, 'hex')))
      .select<{ identity: Uint8Array | ArrayBuffer; ordinal: number }[]>('identity', 'ordinal')
    for (const { identity, ordinal } of rows) ordinals.set(bytesOf(identity).toString('hex'), ordinal)
  }
  return ordinals
}
