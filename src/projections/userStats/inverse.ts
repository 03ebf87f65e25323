// How userStats takes an event back: whoever it belonged to is counted again from what is left of theirs, read by the
// positions that their row holds, or from the app's log where there are too many to keep; and links are what the log says.
import type { FoldEvent } from '../../events/catalogue.ts'
import type { Content } from '../../events/content.ts'
import type { EventCollected } from '../../events/eventCollected.ts'
import { eventCorrected, type EventCorrected } from '../../events/eventCorrected.ts'
import { correctionsOf, currentContents, firstLinks, identityName, readContent } from '../visitors/links.ts'
import type { EventReader } from '../projection.ts'
import { changedLinks, type Takings } from '../visitors/takings.ts'
import { DEVICES, namedDevice, UNKNOWN_DEVICE, userAgent } from '../enrichment/userAgents.ts'
import { type AppPeople, type Known, knownOf, touch, type UserStatsState } from './memory.ts'
import { type AgentDetails, nobody, type Person, see, type Sighting, takePosition } from './person.ts'
import { type Identity, identityKey, identityOf, USER } from '../visitors/visitors.ts'

export interface UserStatsInverse {
  readonly taken: Takings
  /** What persons are at the end of the page, but for the positions. */
  readonly persons: ReadonlyMap<Known, Person>
  readonly links: readonly { readonly app: AppPeople; readonly known: Known; readonly user: Buffer | null }[]
}

/** The event is the one that says the content, or the collected one it is of. */
export function sightingOf(event: FoldEvent, content: Content): Sighting {
  return sighted(event.type === eventCorrected.type ? (event.data as EventCorrected).eventId : event.eventId, content)
}

/** The id is that of the collected event. */
export function sighted(id: string, { position, occurredAt, data }: Content): Sighting {
  return { at: occurredAt, position, id, event: data.event, url: data.url ?? null, agent: agentOf(data), ip: data.ip }
}

function agentOf(data: EventCollected): AgentDetails | undefined {
  if (data.userAgent === undefined && data.device === undefined) return undefined
  const { browser, os, device } = userAgent(data.userAgent)
  return { browser, os, device: DEVICES[data.device === undefined ? device : namedDevice(data.device)] ?? DEVICES[UNKNOWN_DEVICE]! }
}

/** Everybody whom the page's corrections concern, as they are at its end. */
export async function afterCorrections(state: UserStatsState, events: readonly FoldEvent[], taken: Takings, reader: EventReader): Promise<UserStatsInverse> {
  const { memory } = state
  const persons = new Map<Known, Person>()
  for (const [appId, identities] of losing(events, taken)) {
    const app = memory.apps.get(appId)!
    const page = events.filter((event) => event.appId === appId)
    const many: Identity[] = []
    for (const identity of identities.values()) {
      const known = knownOf(memory, app, identity)
      if (known.person?.positions === null) many.push(identity)
      else persons.set(known, await fromPositions(known, identityName(identity), page, taken, reader))
    }
    const found = await fromLog(appId, many, events.at(-1)!.position, reader)
    for (const identity of many) persons.set(knownOf(memory, app, identity), found.get(identityName(identity))!)
  }
  const links: UserStatsInverse['links'][number][] = []
  for (const [appId, identities] of changedLinks(events, taken)) {
    const app = memory.apps.get(appId)!
    const found = await firstLinks(reader, appId, identities, events.at(-1)!.position)
    for (const identity of identities) {
      const userId = found.get(identityName(identity))?.userId
      links.push({ app, known: knownOf(memory, app, identity), user: userId === undefined ? null : identityKey(USER, userId) })
    }
  }
  return { taken, persons, links }
}

/** By app, who loses an event. */
function losing(events: readonly FoldEvent[], taken: Takings): Map<string, Map<string, Identity>> {
  const found = new Map<string, Map<string, Identity>>()
  for (const { appId, position } of events) {
    const content = taken.get(position)
    const identity = content === undefined ? undefined : identityOf(content.data)
    if (identity === undefined) continue
    const known = found.get(appId)
    if (known === undefined) found.set(appId, new Map([[identityName(identity), identity]]))
    else known.set(identityName(identity), identity)
  }
  return found
}

async function fromPositions({ person }: Known, name: string, page: readonly FoldEvent[], taken: Takings, reader: EventReader): Promise<Person> {
  const whole = nobody()
  const gone = new Set([...taken.values()].map(({ contentPosition }) => contentPosition))
  const count = (event: FoldEvent): void => {
    const content = gone.has(event.position) ? undefined : readContent(event)
    const identity = content === undefined ? undefined : identityOf(content.data)
    if (identity !== undefined && identityName(identity) === name) see(whole, sightingOf(event, content!))
  }
  for (const positions of person?.positions?.pieces() ?? []) for (const event of (await reader.at(positions)).values()) count(event)
  for (const event of page) count(event)
  return whole
}

async function fromLog(appId: string, identities: readonly Identity[], upTo: number, reader: EventReader): Promise<Map<string, Person>> {
  const persons = new Map(identities.map((identity) => [identityName(identity), nobody()]))
  if (persons.size === 0) return persons
  const corrections = await correctionsOf(reader, appId, upTo)
  for await (const { collected, content } of currentContents(reader, appId, upTo, corrections)) {
    const identity = identityOf(content.data)
    const person = identity === undefined ? undefined : persons.get(identityName(identity))
    if (person !== undefined) see(person, sightingOf(collected, content))
  }
  return persons
}

export function takeOut(state: UserStatsState, appId: string, content: Content): void {
  const identity = identityOf(content.data)
  if (identity === undefined) return
  const app = state.memory.apps.get(appId)!
  const known = knownOf(state.memory, app, identity)
  // What was never counted (its event could not be digested) cannot be taken back.
  if (known.person === null) return
  takePosition(known.person, content.contentPosition)
  touch(state, app, known)
}

/** At the end of a page. */
export function countAgain({ inverse, linked }: UserStatsState): void {
  for (const [{ person }, counted] of inverse?.persons ?? []) if (person !== null) Object.assign(person, { ...counted, positions: person.positions })
  for (const { app, known, user } of inverse?.links ?? []) {
    known.user = user
    linked.set(known, app)
  }
}
