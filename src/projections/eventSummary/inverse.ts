// How eventSummary takes an event back: its count by subtraction; its visitor out of each set that no other content supports.
// Sets hold no counts, so the contents of the quarter of an hour are read again by the positions that its row holds; a day
// keeps a visitor while one of its quarters of an hour does.
import type { FoldEvent } from '../../events/catalogue.ts'
import type { Content } from '../../events/content.ts'
import type { EventCollected } from '../../events/eventCollected.ts'
import type { SlotCell } from './cells.ts'
import { type AppCells, leafOf, pendingOf, type State } from './memory.ts'
import { firstLinks, identityName, readContent } from '../visitors/links.ts'
import type { EventReader } from '../projection.ts'
import { changedLinks, type Takings } from '../visitors/takings.ts'
import { namedDevice, userAgent } from '../enrichment/userAgents.ts'
import { type Identity, identityOf, USER } from '../visitors/visitors.ts'

/** The contents of a quarter of an hour that may yet support the visitors whose contents go. */
interface Watched {
  /** By identity name. */
  readonly persons: Set<string>
  /** By position of the content. */
  readonly held: Map<number, { readonly event: string; readonly person: string }>
}

export interface Inverse {
  readonly taken: Takings
  /** By quarter of an hour of all events. */
  readonly watched: Map<SlotCell, Watched>
  /** Whose links are to be what the log says at the end of the page, whatever its events have made of them. */
  readonly links: { readonly app: AppCells; readonly identity: Identity; readonly userId: string | undefined }[]
}

export function deviceOf(data: EventCollected): number {
  return data.device === undefined ? userAgent(data.userAgent).device : namedDevice(data.device)
}

/** The links that the page's corrections may change, as they are at its end. */
export async function linksAfter(state: State, events: readonly FoldEvent[], taken: Takings, reader: EventReader): Promise<Inverse['links']> {
  const links: Inverse['links'][number][] = []
  const upTo = events.at(-1)!.position
  for (const [appId, identities] of changedLinks(events, taken)) {
    const app = state.memory.apps.get(appId)!
    const found = await firstLinks(reader, appId, identities, upTo)
    links.push(...identities.map((identity) => ({ app, identity, userId: found.get(identityName(identity))?.userId })))
  }
  return links
}

/** Reads again what may support the visitors that go. Days that contents go from are in memory, whole. */
export async function watchSlots(state: State, events: readonly FoldEvent[], inverse: Inverse, reader: EventReader): Promise<void> {
  for (const { appId, position } of events) {
    const content = inverse.taken.get(position)
    const identity = content === undefined ? undefined : identityOf(content.data)
    if (content === undefined || identity === undefined) continue
    const { all } = leafOfContent(state, state.memory.apps.get(appId)!, content)
    const known = inverse.watched.get(all!)
    if (known === undefined) inverse.watched.set(all!, { persons: new Set([identityName(identity)]), held: new Map() })
    else known.persons.add(identityName(identity))
  }
  for (const all of inverse.watched.keys()) {
    for (const positions of all.positions!.pieces()) {
      for (const event of (await reader.at(positions)).values()) {
        const content = readContent(event)
        if (content !== undefined) watch(inverse, all, content)
      }
    }
  }
}

export function watch({ watched }: Inverse, all: SlotCell, { contentPosition, data }: Content): void {
  const slot = watched.get(all)
  const identity = slot === undefined ? undefined : identityOf(data)
  if (slot === undefined || identity === undefined) return
  const person = identityName(identity)
  if (slot.persons.has(person)) slot.held.set(contentPosition, { event: data.event, person })
}

export function takeOut(state: State, appId: string, content: Content): void {
  const app = state.memory.apps.get(appId)!
  const leaf = leafOfContent(state, app, content)
  const all = leaf.all!
  // What was never counted (its event could not be digested) cannot be taken back.
  if (!all.positions!.delete(content.contentPosition)) return
  pendingOf(state, app, leaf)[deviceOf(content.data)]!--
  const identity = identityOf(content.data)
  if (identity === undefined) return
  const person = identityName(identity)
  const { held } = state.inverse!.watched.get(all)!
  held.delete(content.contentPosition)
  const left = [...held.values()].filter((one) => one.person === person)
  const ordinal = app.visitors.known(identity.kind, identity.id)!
  // Bots and others never share a quarter of an hour of theirs, so a name says which leaf supports a visitor.
  if (!left.some(({ event }) => event === content.data.event)) leave(leaf, ordinal)
  if (left.length === 0) leave(all, ordinal)
}

function leave(slot: SlotCell, ordinal: number): void {
  const { day } = slot
  slot.visitors.delete(ordinal)
  for (const other of day.slots.values()) if (other.visitors.has(ordinal)) return
  day.visitors.delete(ordinal)
}

function leafOfContent(state: State, app: AppCells, { data, occurredAt }: Content): SlotCell {
  return leafOf(state, app, data.event, userAgent(data.userAgent).bot ? 1 : 0, occurredAt)
}

/** At the end of a page: links are what the log says, where a correction may have changed them. */
export function relink({ inverse, apps }: State): void {
  for (const { app, identity, userId } of inverse?.links ?? []) {
    const { visitors } = app
    const ordinal = visitors.known(identity.kind, identity.id)
    if (ordinal === undefined) continue
    visitors.relink(ordinal, userId === undefined ? undefined : visitors.known(USER, userId))
    apps.add(app)
  }
}
