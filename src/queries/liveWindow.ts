// The events of the last half hour, as far as "who is here" needs them: when, who, and whether it was a pageview. Which they
// are say the quarters of an hour of eventSummary, so late events, events of clocks that run ahead and corrections are in
// the right place; what was read of the log is kept, so asking again reads only what is new.
import { decode } from '../events/catalogue.ts'
import type { EventLog, StoredEvent } from '../events/eventLog.ts'
import { Problem } from '../errors.ts'
import { localDays } from '../kernel/calendar.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { Lru } from '../kernel/lru.ts'
import { LIMITS } from '../limits.ts'
import { SLOT_MS, type SlotContent } from '../projections/eventSummary/cells.ts'
import { ALL_EVENTS } from '../projections/eventSummary/memory.ts'
import { bytesOf } from '../projections/storage/rows.ts'
import { readContent } from '../projections/visitors/links.ts'
import { isPageview } from '../projections/visitors/visitRules.ts'
import { identityKey, identityOf } from '../projections/visitors/visitors.ts'
import type { Snapshot } from './query.ts'
import { slotsOf } from './summaryTally.ts'

export interface SeenEvent {
  readonly atMs: number
  /** Ordinal before links; -1 without identity. */
  readonly visitor: number
  readonly pageview: boolean
}

/** What is kept of one quarter of an hour: its runs of positions, and an event for each position, in order. */
interface KeptSlot {
  readonly runs: readonly number[]
  readonly events: readonly SeenEvent[]
}

type KeptSlots = ReadonlyMap<string, KeptSlot>

/** Per log, and there by build and app: a process that serves several logs, as tests do, mixes nothing up. */
const kept = new WeakMap<EventLog, Lru<string, KeptSlots>>()

/** All events of people, and none of bots, in the quarters of an hour that touch the window. */
export async function eventsAround(snapshot: Snapshot, fromMs: number, toMs: number): Promise<SeenEvent[]> {
  const { log, build, appId } = snapshot
  let windows = kept.get(log)
  if (windows === undefined) kept.set(log, (windows = new Lru(LIMITS.liveAppsKept, LIMITS.liveEventsKept)))
  const key = `${build}:${appId}`
  const before = windows.get(key)
  const now = new Map<string, KeptSlot>()
  let size = 0
  for (const [name, content] of await slotsAround(snapshot, fromMs, toMs)) {
    const slot = await readSlot(snapshot, content, before?.get(name))
    now.set(name, slot)
    size += slot.events.length
  }
  windows.set(key, now, size)
  return [...now.values()].flatMap(({ events }) => events)
}

/** A quarter of an hour that midnight cuts is one of each day. */
async function slotsAround(snapshot: Snapshot, fromMs: number, toMs: number): Promise<[string, SlotContent][]> {
  const zone = localDays(snapshot.timezone)
  const between = [Math.floor(fromMs / SLOT_MS), Math.floor(toMs / SLOT_MS)] as const
  const found: [string, SlotContent][] = []
  let events = 0
  const lastMs = (between[1] + 1) * SLOT_MS
  for (let day = zone.at(between[0] * SLOT_MS); day.fromMs < lastMs; day = zone.at(day.toMs)) {
    for (const content of await slotsOf(snapshot, ALL_EVENTS, [0], day, between)) {
      found.push([`${day.day}:${content.slot}`, content])
      events += content.positions!.size
    }
  }
  if (events > LIMITS.liveEvents) {
    throw new Problem('too_much_for_the_log', `More than ${LIMITS.liveEvents.toLocaleString('en-US')} events in half an hour are not followed live; a timeseries by hour counts them`)
  }
  return found
}

async function readSlot(snapshot: Snapshot, { positions }: SlotContent, before: KeptSlot | undefined): Promise<KeptSlot> {
  const runs = [...positions!.runs()].flat()
  const known = before === undefined ? 0 : commonPositions(before, runs)
  if (known === positions!.size && known === before?.events.length) return before
  const events = before?.events.slice(0, known) ?? []
  const fresh: number[] = []
  let passed = 0
  for (let at = 0; at < runs.length; at += 2) {
    for (let position = runs[at]!; position <= runs[at + 1]!; position++) if (passed++ >= known) fresh.push(position)
  }
  return { runs, events: [...events, ...(await readEvents(snapshot, fresh))] }
}

/** How many positions at the start are the same: events only come at the end, except where a correction takes one away. */
function commonPositions({ runs: before }: KeptSlot, now: readonly number[]): number {
  let common = 0
  for (let at = 0; at < Math.min(before.length, now.length); at += 2) {
    if (before[at] !== now[at]) break
    common += Math.min(before[at + 1]!, now[at + 1]!) - now[at]! + 1
    if (before[at + 1] !== now[at + 1]) break
  }
  return common
}

async function readEvents(snapshot: Snapshot, positions: readonly number[]): Promise<SeenEvent[]> {
  const { log, appId } = snapshot
  const partition = log.partitionOf(appId)
  const stored: StoredEvent[] = []
  for (let at = 0; at < positions.length; at += LIMITS.readPageEvents) {
    stored.push(...(await log.readAt(partition, positions.slice(at, at + LIMITS.readPageEvents))))
  }
  const contents = stored.map((event) => readContent(decode(event)))
  const keys = contents.map((content) => {
    const identity = content === undefined ? undefined : identityOf(content.data)
    return identity === undefined ? undefined : identityKey(identity.kind, identity.id)
  })
  const ordinals = await ordinalsOf(snapshot, keys)
  // An erased event keeps its place in the slot, and says no more who it was.
  return contents.map((content, at) => {
    if (content === undefined) return { atMs: stored[at]!.occurredAt, visitor: -1, pageview: false }
    return { atMs: content.occurredAt, visitor: ordinals.get(keys[at]?.toString('latin1') ?? '') ?? -1, pageview: isPageview(content.data) }
  })
}

async function ordinalsOf({ trx, build, appId }: Snapshot, identities: readonly (Buffer | undefined)[]): Promise<Map<string, number>> {
  const keys = [...new Map(identities.filter((key) => key !== undefined).map((key) => [key.toString('latin1'), key])).values()]
  const ordinals = new Map<string, number>()
  for (let at = 0; at < keys.length; at += LIMITS.rowsPerStatement) {
    const rows = await trx('event_summary_visitors')
      .where({ build, app_id: uuidToBytes(appId) })
      .whereIn('identity', keys.slice(at, at + LIMITS.rowsPerStatement))
      .select<{ identity: Uint8Array | ArrayBuffer; ordinal: number }[]>('identity', 'ordinal')
    for (const { identity, ordinal } of rows) ordinals.set(bytesOf(identity).toString('latin1'), ordinal)
  }
  return ordinals
}
