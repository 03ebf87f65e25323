// How a block of 64 values, and a quarter of an hour, stand in bytes: sums, then the counted visitors with their length before
// them, so that a reader who wants the sums alone steps over the visitors.
import { ByteReader, ByteWriter } from '../storage/byteCodec.ts'

/** Refs are given out to dimensions in blocks, and the values of a block share a row per day. */
export const BLOCK = 64

/** What a day, or a quarter of an hour, adds up to. */
export interface WebSums {
  events: number
  pageviews: number
  /** Visits that start in it, and over their whole length: */
  visits: number
  bounces: number
  /** Visits with a pageview, and the pageviews of those. */
  pageviewVisits: number
  viewsInThem: number
  durationMs: number
}

export const SUMS = ['events', 'pageviews', 'visits', 'bounces', 'pageviewVisits', 'viewsInThem', 'durationMs'] as const

export function noSums(): WebSums {
  return { events: 0, pageviews: 0, visits: 0, bounces: 0, pageviewVisits: 0, viewsInThem: 0, durationMs: 0 }
}

/** Adds, and refuses to go below nothing: then something was taken back that was never there. */
export function addSums(to: WebSums, more: Readonly<WebSums>): void {
  for (const name of SUMS) if ((to[name] += more[name]) < 0) throw new RangeError(`${name} of a day would be ${to[name]}`)
}

export function isNothing(sums: Readonly<WebSums>): boolean {
  return SUMS.every((name) => sums[name] === 0)
}

export interface Slot {
  readonly sums: WebSums
  /** Counted set. */
  visitors: Uint8Array
}

/** One value in a row of web_cells. */
export interface CellEntry {
  events: number
  pageviews: number
  visits: number
  /** Counted set. */
  visitors: Uint8Array
}

const writer = new ByteWriter()

function writeSlot(slot: Slot): void {
  writer.number(SUMS.reduce((mask, name, at) => (slot.sums[name] === 0 ? mask : mask | (1 << at)), 0))
  for (const name of SUMS) if (slot.sums[name] !== 0) writer.number(slot.sums[name])
  writer.number(slot.visitors.length)
  writer.append(slot.visitors)
}

function readSlotFrom(reader: ByteReader): Slot {
  const sums = noSums()
  const present = reader.number()
  SUMS.forEach((name, at) => (sums[name] = ((present >> at) & 1) === 1 ? reader.number() : 0))
  return { sums, visitors: reader.take(reader.number()) }
}

export function slotBytes(slot: Slot): Buffer {
  writeSlot(slot)
  return writer.take()
}

export function readSlot(bytes: Uint8Array): Slot {
  return readSlotFrom(new ByteReader(bytes))
}

/** The quarters of an hour of a day in one row. */
export function packSlots(slots: ReadonlyMap<number, Slot>): Buffer {
  let before = 0
  for (const number of [...slots.keys()].sort((left, right) => left - right)) {
    writer.number(number - before)
    writeSlot(slots.get(number)!)
    before = number
  }
  return writer.take()
}

export function unpackSlots(bytes: Uint8Array): Map<number, Slot> {
  const slots = new Map<number, Slot>()
  const reader = new ByteReader(bytes)
  for (let number = 0; !reader.done; ) slots.set((number += reader.number()), readSlotFrom(reader))
  return slots
}

/** By index within the block. */
export function packEntries(entries: ReadonlyMap<number, CellEntry>): Buffer {
  for (const index of [...entries.keys()].sort((left, right) => left - right)) {
    const { events, pageviews, visits, visitors } = entries.get(index)!
    writer.number(index)
    writer.number(events)
    writer.number(pageviews)
    writer.number(visits)
    writer.number(visitors.length)
    writer.append(visitors)
  }
  return writer.take()
}

export type EntryVisit = (index: number, events: number, pageviews: number, visits: number, visitors: Uint8Array) => void

export function eachEntry(bytes: Uint8Array, visit: EntryVisit): void {
  const reader = new ByteReader(bytes)
  while (!reader.done) {
    const index = reader.number()
    const events = reader.number()
    const pageviews = reader.number()
    const visits = reader.number()
    visit(index, events, pageviews, visits, reader.take(reader.number()))
  }
}

export function unpackEntries(bytes: Uint8Array): Map<number, CellEntry> {
  const entries = new Map<number, CellEntry>()
  eachEntry(bytes, (index, events, pageviews, visits, visitors) => {
    entries.set(index, { events, pageviews, visits, visitors })
  })
  return entries
}
