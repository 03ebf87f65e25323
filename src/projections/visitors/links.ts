// Which user an anonymous or cookieless identity belongs to, worked out again from the app's log: needed where a correction or
// retraction takes a link away or makes an older one. The first link in order of the collected events' positions wins
// (METRICS), by what each of them says now. Two passes and no more memory than there are corrections: the first gathers what
// was corrected, the second looks at contents in order and stops as soon as every identity has its link.
import { type Content, contentOf } from '../../events/content.ts'
import type { FoldEvent } from '../../events/catalogue.ts'
import type { EventCollected } from '../../events/eventCollected.ts'
import { eventCollected } from '../../events/eventCollected.ts'
import { eventCorrected } from '../../events/eventCorrected.ts'
import { eventRetracted, type EventRetracted } from '../../events/eventRetracted.ts'
import type { EventReader } from '../projection.ts'
import { type Identity, linkedIdentities } from './visitors.ts'

export interface Link {
  readonly userId: string
  /** Of the collected event that links. */
  readonly position: number
}

/** What stands in the place of collected events, by their position; undefined where they were retracted. */
export type Corrections = ReadonlyMap<number, Content | undefined>

/** Equal for equal identities. */
export function identityName({ kind, id }: Identity): string {
  return `${kind}${id}`
}

/** The link of each identity up to a position of the log, inclusive, by `identityName`; identities without one are left out. */
export async function firstLinks(reader: EventReader, appId: string, identities: readonly Identity[], upTo: number): Promise<Map<string, Link>> {
  const links = new Map<string, Link>()
  const wanted = new Set(identities.map(identityName))
  if (wanted.size === 0) return links
  const corrections = await correctionsOf(reader, appId, upTo)
  for await (const { content: { position, data } } of currentContents(reader, appId, upTo, corrections)) {
    for (const identity of linkedIdentities(data)) {
      const name = identityName(identity)
      if (wanted.delete(name)) links.set(name, { userId: data.userId!, position })
    }
    if (wanted.size === 0) break
  }
  return links
}

/** Everything of an app that was corrected or retracted up to a position, as it stands there. */
export async function correctionsOf(reader: EventReader, appId: string, upTo: number): Promise<Corrections> {
  const corrections = new Map<number, Content | undefined>()
  for await (const page of reader.scan(appId, upTo)) {
    for (const event of page) {
      if (event.type === eventCorrected.type) {
        const content = readContent(event)
        if (content !== undefined) corrections.set(content.position, content)
      } else if (event.type === eventRetracted.type && event.data !== null) {
        corrections.set((event.data as EventRetracted).position, undefined)
      }
    }
  }
  return corrections
}

/** What counts of an app at a position of the log, with the collected events it is of, in their order. */
export async function* currentContents(
  reader: EventReader,
  appId: string,
  upTo: number,
  corrections: Corrections,
): AsyncGenerator<{ readonly collected: FoldEvent; readonly content: Content }> {
  for await (const page of reader.scan(appId, upTo)) {
    for (const event of page) {
      if (event.type !== eventCollected.type) continue
      const content = corrections.has(event.position) ? corrections.get(event.position) : readContent(event)
      if (content !== undefined) yield { collected: event, content }
    }
  }
}

/** Undefined for what says nothing, and for what no fold can read: that is buried, and counts nowhere. */
export function readContent(event: FoldEvent): Content | undefined {
  try {
    const content = contentOf(event)
    return typeof (content?.data as Partial<EventCollected> | undefined)?.event === 'string' ? content : undefined
  } catch {
    return undefined
  }
}
