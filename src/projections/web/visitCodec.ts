// A visit as the bytes of its row and back. Equal visits have equal bytes, however their events came in.
import { DAY_MS } from '../../kernel/calendar.ts'
import { ByteReader, ByteWriter } from '../storage/byteCodec.ts'
import { isBefore, type Mark, type Seen } from './seen.ts'
import { Visit } from './visit.ts'

const writer = new ByteWriter()
/** Local dates of events lie less than this before the date of a visit's start in UTC. */
const DAYS_BEFORE = 3

export function visitBytes(visit: Visit): Buffer {
  const { start, first, entry, exit, arrival } = visit
  writer.number(flag(first, 1) + flag(entry, 2) + flag(exit, 4) + flag(arrival, 8))
  writer.number(visit.pageviews)
  writer.number(visit.others)
  for (const mark of [first, entry, exit, arrival]) if (mark !== undefined) writeMark(mark, start)
  if (entry !== undefined) writer.number(entry.ref + 1)
  if (exit !== undefined) writer.number(exit.ref + 1)
  if (arrival !== undefined) writeList(arrival.refs)
  writeAscending(visit.refs)
  writeParts(visit)
  writer.number(visit.leading.length)
  for (const seen of visit.leading.toSorted((left, right) => (isBefore(left, right) ? -1 : 1))) writeLeading(seen, start)
  writeAscending(visit.runs)
  writeAscending(visit.pieces.toSorted((left, right) => left - right))
  return writer.take()
}

export function readVisit(start: number, end: number, bytes: Uint8Array): Visit {
  const from = new ByteReader(bytes)
  const visit = new Visit()
  visit.start = start
  visit.end = end
  visit.storedStart = start
  const flags = from.number()
  visit.pageviews = from.number()
  visit.others = from.number()
  const [first, entry, exit, arrival] = [1, 2, 4, 8].map((bit) => ((flags & bit) === 0 ? undefined : readMark(from, start)))
  visit.first = first
  if (entry !== undefined) visit.entry = { ...entry, ref: from.number() - 1 }
  if (exit !== undefined) visit.exit = { ...exit, ref: from.number() - 1 }
  if (arrival !== undefined) visit.arrival = { ...arrival, refs: readList(from) }
  visit.refs = readAscending(from)
  for (let left = from.number(); left > 0; left--) {
    visit.parts.push({ day: from.number() + firstDay(start), visitor: from.number() - 1, events: from.number(), pageviews: from.number() })
  }
  for (let left = from.number(); left > 0; left--) visit.leading.push(readLeading(from, start))
  visit.runs = readAscending(from)
  visit.pieces = readAscending(from)
  return visit
}

export function runsBytes(runs: readonly number[]): Buffer {
  writeAscending(runs)
  return writer.take()
}

export function readRuns(bytes: Uint8Array): number[] {
  return readAscending(new ByteReader(bytes))
}

function flag(mark: Mark | undefined, bit: number): number {
  return mark === undefined ? 0 : bit
}

function firstDay(start: number): number {
  return Math.floor(start / DAY_MS) - DAYS_BEFORE
}

function writeMark({ at, position }: Mark, start: number): void {
  writer.number(at - start)
  writer.number(position)
}

function readMark(from: ByteReader, start: number): Mark {
  return { at: start + from.number(), position: from.number() }
}

function writeParts({ parts, start }: Visit): void {
  writer.number(parts.length)
  for (const { day, visitor, events, pageviews } of parts.toSorted((left, right) => left.day - right.day || left.visitor - right.visitor)) {
    writer.number(day - firstDay(start))
    writer.number(visitor + 1)
    writer.number(events)
    writer.number(pageviews)
  }
}

function writeLeading(seen: Seen, start: number): void {
  writeMark(seen, start)
  writer.number(seen.contentPosition)
  writer.number(seen.day - firstDay(start))
  writer.number(seen.visitor + 1)
  writeList(seen.refs)
}

function readLeading(from: ByteReader, start: number): Seen {
  const mark = readMark(from, start)
  const rest = { contentPosition: from.number(), day: from.number() + firstDay(start), visitor: from.number() - 1, refs: readList(from) }
  return { ...mark, ...rest, interactive: false, pageview: false, entry: -1, exit: -1, arrival: undefined }
}

function writeList(numbers: readonly number[]): void {
  writer.number(numbers.length)
  for (const number of numbers) writer.number(number)
}

function readList(from: ByteReader): number[] {
  const numbers: number[] = []
  for (let left = from.number(); left > 0; left--) numbers.push(from.number())
  return numbers
}

function writeAscending(numbers: readonly number[]): void {
  writer.number(numbers.length)
  let before = 0
  for (const number of numbers) {
    writer.number(number - before)
    before = number
  }
}

function readAscending(from: ByteReader): number[] {
  const numbers: number[] = []
  for (let left = from.number(), number = 0; left > 0; left--) numbers.push((number += from.number()))
  return numbers
}
