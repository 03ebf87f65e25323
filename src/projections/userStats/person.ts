// What is known of one identity, how an event changes it, and how the rows of one person (a user and the anonymous ids that
// turned out to be theirs) unite. Nothing here depends on the order of folding: ties go by position in the log.
import { LIMITS } from '../../limits.ts'
import { ByteReader, ByteWriter } from '../storage/byteCodec.ts'
import { PositionRuns } from '../sets/positionRuns.ts'
import { type KeptRecent, keptRecent, readRecent, type Recent, writeRecent } from './recent.ts'

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
  recent: KeptRecent[]
  /** Where their contents stand, to count them again when one is taken back; null once there were too many runs to keep. */
  positions: PositionRuns | null
}

export function nobody(): Person {
  return { events: 0, firstSeen: Number.MAX_SAFE_INTEGER, lastSeen: 0, agent: null, ip: null, recent: [], positions: new PositionRuns() }
}

/** Takes note of where a content stands. Depends on the order of the log alone, not on how it was cut into stretches. */
export function addPosition(person: Person, contentPosition: number): void {
  person.positions?.add(contentPosition)
  forgetMany(person)
}

/** A content was taken back: what is left of it elsewhere is counted again. */
export function takePosition(person: Person, contentPosition: number): void {
  person.events--
  if (person.events === 0) person.positions = new PositionRuns()
  else person.positions?.delete(contentPosition)
  forgetMany(person)
}

function forgetMany(person: Person): void {
  if (person.positions !== null && person.positions.runCount > LIMITS.personRuns) person.positions = null
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
  const entry = keptRecent({ at, position, id, event, url })
  let place = 0
  // Mostly the newest of all, and a splice makes an array of what it took out.
  if (person.recent.length === 0 || isLater(entry, person.recent[0]!)) {
    person.recent.unshift(entry)
    return
  }
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
  readonly detail: Buffer
}

export interface StoredPerson extends PersonRow {
  readonly positions: Uint8Array | null
}

export function personOf({ events, first_seen, last_seen, detail }: PersonRow): Person {
  return { events: Number(events), firstSeen: Number(first_seen), lastSeen: Number(last_seen), ...readDetail(detail), positions: null }
}

/** The same to be folded further, which keeps nothing of the bytes that a driver has read it from. */
export function storedPerson({ detail, positions, ...row }: StoredPerson): Person {
  return { ...personOf({ ...row, detail: Buffer.from(detail) }), positions: positions === null ? null : PositionRuns.read(new ByteReader(positions)) }
}

const writer = new ByteWriter()

export function positionBytes({ positions }: Person): Buffer | null {
  if (positions === null) return null
  positions.write(writer)
  return writer.take()
}

type Detail = Pick<Person, 'agent' | 'ip' | 'recent'>

/** Tells the bytes below from the JSON of rows that were written before there were such. */
const FORMAT = 1
const BRACE = 0x7b

export function detailOf({ agent, ip, recent }: Person): Buffer {
  const facts = Buffer.from(JSON.stringify({ agent, ip }))
  writer.number(FORMAT)
  writer.number(facts.length)
  writer.append(facts)
  writeRecent(writer, recent)
  return writer.take()
}

function readDetail(bytes: Buffer): Detail {
  if (bytes[0] === BRACE) {
    const { agent, ip, recent } = JSON.parse(bytes.toString()) as Omit<Detail, 'recent'> & { readonly recent: readonly Recent[] }
    return { agent, ip, recent: recent.map(keptRecent) }
  }
  const reader = new ByteReader(bytes)
  const format = reader.number()
  if (format !== FORMAT) throw new RangeError(`a person of format ${format}`)
  const facts = JSON.parse(textOf(reader.take(reader.number()))) as Omit<Detail, 'recent'>
  return { ...facts, recent: readRecent(reader, bytes) }
}

function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString()
}

function later<T>(left: Said<T> | null, right: Said<T>): Said<T> {
  return left === null || isLater(right, left) ? right : left
}

function isLater(left: { at: number; position: number }, right: { at: number; position: number }): boolean {
  return left.at > right.at || (left.at === right.at && left.position > right.position)
}
