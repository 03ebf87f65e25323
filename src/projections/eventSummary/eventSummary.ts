// How often each event happened, on what devices, and by how many distinct people, exactly, for any range: counts and
// visitor bitmaps per quarter of an hour and per local day (METRICS). Bots and devices are derived here from raw user
// agents, so that new rules apply to all of history.
import type { FoldEvent } from '../../events/catalogue.ts'
import { contentOf } from '../../events/content.ts'
import { eventCollected } from '../../events/eventCollected.ts'
import { eventCorrected } from '../../events/eventCorrected.ts'
import { eventRetracted } from '../../events/eventRetracted.ts'
import { deviceOf, relink, takeOut, watch } from './inverse.ts'
import { loadSummary } from './load.ts'
import { leafOf, type Memory, newMemory, newState, pendingOf, type State } from './memory.ts'
import { writeSummary } from './write.ts'
import type { Projection } from '../projection.ts'
import { USER_AGENT_RULES, userAgent } from '../enrichment/userAgents.ts'

const FOLD_VERSION = 1

export const eventSummary: Projection<State, Memory> = {
  name: 'eventSummary',
  codeVersion: FOLD_VERSION * 1_000 + USER_AGENT_RULES,
  source: 'apps',
  zoned: true,
  cost: 3,
  eventTypes: [eventCollected.type, eventCorrected.type, eventRetracted.type],
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
    relink(state)
  },
  write: writeSummary,
}

function foldOne(state: State, event: FoldEvent): void {
  const taken = state.inverse?.taken.get(event.position)
  if (taken !== undefined) takeOut(state, event.appId, taken)
  const content = contentOf(event)
  if (content === undefined) return
  const { data } = content
  if (typeof data.event !== 'string') throw new TypeError('an event without a name')
  const app = state.memory.apps.get(event.appId)!
  const agent = userAgent(data.userAgent)
  const leaf = leafOf(state, app, data.event, agent.bot ? 1 : 0, content.occurredAt)
  const all = leaf.all!
  pendingOf(state, app, leaf)[deviceOf(data)]!++
  all.positions!.add(content.contentPosition)
  if (state.inverse !== undefined) watch(state.inverse, all, content)
  const ordinal = app.visitors.visit(data)
  // Every other row that this leaf is part of holds its visitors already, so only a new one travels up.
  if (ordinal < 0 || !leaf.visitors.add(ordinal)) return
  leaf.day.visitors.add(ordinal)
  if (all.visitors.add(ordinal)) all.day.visitors.add(ordinal)
}
