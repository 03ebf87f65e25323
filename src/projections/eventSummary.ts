// How often each event happened, on what devices, and by how many distinct people, exactly, for any range: counts and
// visitor bitmaps per quarter of an hour and per local day (METRICS). Bots and devices are derived here from raw user
// agents, so that new rules apply to all of history.
import type { FoldEvent } from '../events/catalogue.ts'
import type { EventCollected } from '../events/eventCollected.ts'
import { eventCollected } from '../events/eventCollected.ts'
import { noCounts, type SlotCell, SLOT_MS } from './eventSummaryCells.ts'
import { loadSummary } from './eventSummaryLoad.ts'
import { type AppCells, type Memory, newMemory, newState, type State } from './eventSummaryMemory.ts'
import { writeSummary } from './eventSummaryWrite.ts'
import type { Projection } from './projection.ts'
import { namedDevice, RULESET_VERSION, userAgent } from './userAgents.ts'

const FOLD_VERSION = 1

export const eventSummary: Projection<State, Memory> = {
  name: 'eventSummary',
  codeVersion: FOLD_VERSION * 1_000 + RULESET_VERSION,
  source: 'apps',
  zoned: true,
  eventTypes: [eventCollected.type],
  tables: [
    { name: 'event_summary_apps', key: ['app_id'] },
    { name: 'event_summary_names', key: ['app_id', 'event_key'] },
    { name: 'event_summary_days', key: ['app_id', 'event_key', 'day', 'bot'] },
    { name: 'event_summary_slots', key: ['app_id', 'event_key', 'day', 'bot', 'slot'] },
    { name: 'event_summary_visitors', key: ['app_id', 'identity'] },
    { name: 'event_summary_people', key: ['app_id', 'chunk'] },
  ],
  memory: newMemory,
  start: newState,
  load: loadSummary,
  fold(state, events) {
    state.memory.open = true
    for (const event of events) foldOne(state, event)
  },
  write: writeSummary,
}

function foldOne(state: State, event: FoldEvent): void {
  const data = event.data as EventCollected | null
  if (data === null) return
  if (typeof data.event !== 'string') throw new TypeError('an event without a name')
  const app = state.memory.apps.get(event.appId)!
  const agent = userAgent(data.userAgent)
  const leaf = leafOf(state, app, data.event, agent.bot ? 1 : 0, event.occurredAt)
  const all = leaf.all!
  if (leaf.pending === undefined) {
    leaf.pending = noCounts()
    state.leaves.push({ app, leaf })
    state.apps.add(app)
  }
  leaf.pending[data.device === undefined ? agent.device : namedDevice(data.device)]!++
  all.positions!.add(event.position)
  const ordinal = app.visitors.visit(data)
  // Every other row that this leaf is part of holds its visitors already, so only a new one travels up.
  if (ordinal < 0 || !leaf.visitors.add(ordinal)) return
  leaf.day.visitors.add(ordinal)
  if (all.visitors.add(ordinal)) all.day.visitors.add(ordinal)
}

function leafOf(state: State, app: AppCells, name: string, bot: 0 | 1, atMs: number): SlotCell {
  const series = app.seriesOf(name, bot, (key) => state.names.push({ app, key, name }))
  const day = app.day(series, atMs)
  const slot = Math.floor(atMs / SLOT_MS)
  if (day.lastSlot?.slot === slot) return day.lastSlot
  const leaf = day.slot(slot)
  if (leaf.all === undefined) {
    leaf.all = app.day(series.all!, atMs).slot(slot)
    state.memory.slots += 2
  }
  day.lastSlot = leaf
  return leaf
}
