// What is known of one identity, how an event changes it, and how the rows of one person (a user and the anonymous ids that
// turned out to be theirs) unite. Nothing here depends on the order of folding: ties go by position in the log.
import { LIMITS } from '../limits.ts'

export interface Recent {
  /** When it happened, epoch milliseconds. */
  readonly at: number
  readonly position: number
  readonly id: string
  readonly event: string
  readonly url: string | null
}

/** A value and the event that says so: the latest by time of occurrence counts. */
export interface Said<T> {
  readonly at: number
  readonly position: number
  readonly value: T
}

export interface AgentDetails {
  readonly browser: string | null
  readonly os: string | null
  readonly device: string
}

export interface Person {
  events: number
  firstSeen: number
  lastSeen: number
  agent: Said<AgentDetails> | null
  ip: Said<string> | null
  /** Latest first. */
  recent: Recent[]
}

export function nobody(): Person {
  return { events: 0, firstSeen: Number.MAX_SAFE_INTEGER, lastSeen: 0, agent: null, ip: null, recent: [] }
}

export interface Sighting extends Recent {
  readonly agent: AgentDetails | undefined
  readonly ip: string | undefined
}

export function see(person: Person, { at, position, id, event, url, agent, ip }: Sighting): void {
  person.events++
  person.firstSeen = Math.min(person.firstSeen, at)
  person.lastSeen = Math.max(person.lastSeen, at)
  if (agent !== undefined) person.agent = later(person.agent, { at, position, value: agent })
  if (ip !== undefined) person.ip = later(person.ip, { at, position, value: ip })
  const oldest = person.recent.at(-1)
  const full = person.recent.length >= LIMITS.recentEvents
  if (full && oldest !== undefined && !isLater({ at, position }, oldest)) return
  if (full) person.recent.pop()
  const entry = { at, position, id, event, url }
  let place = 0
  while (place < person.recent.length && isLater(person.recent[place]!, entry)) place++
  person.recent.splice(place, 0, entry)
}

/** Everything that several identities of one person did. */
export function unite(persons: readonly Person[]): Person {
  const whole = nobody()
  for (const { events, firstSeen, lastSeen, agent, ip, recent } of persons) {
    whole.events += events
    whole.firstSeen = Math.min(whole.firstSeen, firstSeen)
    whole.lastSeen = Math.max(whole.lastSeen, lastSeen)
    if (agent !== null) whole.agent = later(whole.agent, agent)
    if (ip !== null) whole.ip = later(whole.ip, ip)
    whole.recent.push(...recent)
  }
  whole.recent.sort((left, right) => (isLater(left, right) ? -1 : 1))
  whole.recent.length = Math.min(whole.recent.length, LIMITS.recentEvents)
  return whole
}

export interface PersonRow {
  readonly events: number | string
  readonly first_seen: number | string
  readonly last_seen: number | string
  readonly detail: Uint8Array
}

export function personOf(row: PersonRow): Person {
  const detail = JSON.parse(Buffer.from(row.detail.buffer, row.detail.byteOffset, row.detail.byteLength).toString()) as Pick<Person, 'agent' | 'ip' | 'recent'>
  return { events: Number(row.events), firstSeen: Number(row.first_seen), lastSeen: Number(row.last_seen), ...detail }
}

export function detailOf({ agent, ip, recent }: Person): Buffer {
  return Buffer.from(JSON.stringify({ agent, ip, recent }))
}

function later<T>(left: Said<T> | null, right: Said<T>): Said<T> {
  return left === null || isLater(right, left) ? right : left
}

function isLater(left: { at: number; position: number }, right: { at: number; position: number }): boolean {
  return left.at > right.at || (left.at === right.at && left.position > right.position)
}
