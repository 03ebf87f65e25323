// What the corrections and retractions among some events take back: the contents that stood until then, read again from the
// log. Shared by the read models that apply the inverse.
import type { FoldEvent } from '../../events/catalogue.ts'
import type { Content } from '../../events/content.ts'
import { eventCorrected } from '../../events/eventCorrected.ts'
import { eventRetracted, type EventRetracted } from '../../events/eventRetracted.ts'
import { identityName, readContent } from './links.ts'
import type { EventReader } from '../projection.ts'
import { type Identity, linkedIdentities } from './visitors.ts'

/** The content that goes, by the position of what takes it back. */
export type Takings = ReadonlyMap<number, Content>

export function takesBack({ type }: FoldEvent): boolean {
  return type === eventCorrected.type || type === eventRetracted.type
}

/** Undefined where none of the events takes anything back. What was erased meanwhile is left out: nobody knows what it was. */
export async function takingsOf(events: readonly FoldEvent[], reader: EventReader): Promise<Takings | undefined> {
  const goes = new Map<number, number>()
  for (const event of events) {
    const from = takesBack(event) ? placeOf(event) : undefined
    if (from !== undefined) goes.set(event.position, from)
  }
  if (goes.size === 0) return undefined
  const found = await reader.at([...new Set(goes.values())])
  const takings = new Map<number, Content>()
  for (const [position, from] of goes) {
    const event = found.get(from)
    const content = event === undefined ? undefined : readContent(event)
    if (content !== undefined) takings.set(position, content)
  }
  return takings
}

/** Undefined for what the fold will refuse: that is the fold's to say. */
function placeOf(event: FoldEvent): number | undefined {
  try {
    return (event.data as EventRetracted | null)?.contentPosition
  } catch {
    return undefined
  }
}

/** The identities of each app whose link to a user may be another one after these events' corrections. */
export function changedLinks(events: readonly FoldEvent[], takings: Takings): Map<string, Identity[]> {
  const changed = new Map<string, Map<string, Identity>>()
  for (const event of events) {
    if (!takesBack(event)) continue
    const before = linksIn(takings.get(event.position))
    const after = linksIn(readContent(event))
    for (const [key, identity] of [...before, ...after]) {
      if (before.has(key) && after.has(key)) continue
      let identities = changed.get(event.appId)
      if (identities === undefined) changed.set(event.appId, (identities = new Map<string, Identity>()))
      identities.set(identityName(identity), identity)
    }
  }
  return new Map([...changed].map(([appId, identities]) => [appId, [...identities.values()]]))
}

/** By identity and user, so that equal links have equal keys. */
function linksIn(content: Content | undefined): Map<string, Identity> {
  if (content === undefined) return new Map()
  return new Map(linkedIdentities(content.data).map((identity) => [JSON.stringify([identityName(identity), content.data.userId]), identity]))
}
