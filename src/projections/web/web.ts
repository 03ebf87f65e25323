// Web analytics (METRICS): visits, and what events, visitors and visits add up to by day, quarter of an hour and value of
// every dimension. Each event adds to sums that have an exact inverse, so late, corrected and retracted events restate the
// past by what they change and no more.
import type { FoldEvent } from '../../events/catalogue.ts'
import { contentOf } from '../../events/content.ts'
import { NO_DEFINITIONS } from '../../events/definitions.ts'
import { eventCollected, type EventCollected } from '../../events/eventCollected.ts'
import { eventCorrected } from '../../events/eventCorrected.ts'
import { eventRetracted } from '../../events/eventRetracted.ts'
import type { FoldContext, Projection } from '../projection.ts'
import { RULESET_VERSION } from '../enrichment/dimensions.ts'
import { createWebTally, WEB_TALLY_TABLES } from './counting.ts'
import { loadWeb } from './load.ts'
import { newWebMemory, type WebMemory } from './memory.ts'
import { type Change, type Item, type Memory, State } from './visitsMemory.ts'
import { writeVisits } from './visitsWrite.ts'
import type { WebTally } from './tally.ts'

const FOLD_VERSION = 1

export interface Tallying<TallyMemory> {
  memory(): TallyMemory
  start(memory: TallyMemory, context: FoldContext): WebTally
  readonly tables: Projection['tables']
}

/** With a tally of one's own making: for tests. */
export function webWith<TallyMemory>(tallying: Tallying<TallyMemory>): Projection<State, Memory> {
  return {
    name: 'web',
    codeVersion: FOLD_VERSION * 1_000 + RULESET_VERSION,
    source: 'apps',
    zoned: true,
    cost: 6,
    defined: ({ dimensions }) => ({ ...NO_DEFINITIONS, dimensions }),
    eventTypes: [eventCollected.type, eventCorrected.type, eventRetracted.type],
    tables: [
      // How long a run has ever been is a bound for reading, whatever became of that run.
      { name: 'web_visit_apps', key: ['app_id'], comparable: ({ app_id }) => ({ app_id }) },
      { name: 'web_visits', key: ['app_id', 'client', 'start_at'] },
      { name: 'web_visit_visitors', key: ['app_id', 'visitor', 'visit_at', 'client'] },
      { name: 'web_visit_positions', key: ['app_id', 'client', 'first_position'] },
      ...tallying.tables,
    ],
    memory: () => newMemory(tallying.memory()),
    start(memory, context) {
      // A fold that was never written left things here that the tables do not have.
      if (memory.open) Object.assign(memory, newMemory(tallying.memory()))
      return new State(memory, tallying.start(memory.tally as TallyMemory, context), context)
    },
    load: loadWeb,
    fold(state, events) {
      events.forEach((event, at) => foldOne(state, event, state.page[at]))
      for (const { app, identity, userId } of state.relinks) state.tally.relink(app.appId, identity, userId)
    },
    write: writeVisits,
  }
}

export const web = webWith<WebMemory>({ memory: newWebMemory, start: createWebTally, tables: WEB_TALLY_TABLES })

function newMemory(tally: unknown): Memory {
  return { apps: new Map(), tally, kept: 0, open: false }
}

function foldOne(state: State, event: FoldEvent, prepared: Item | Change | undefined): void {
  if (prepared === undefined) {
    // What load could not read fails here, where one event can be told from the others.
    const content = contentOf(event)
    if (content !== undefined && typeof (content.data as Partial<EventCollected> | null)?.event !== 'string') throw new TypeError('an event without a name')
  } else if ('taken' in prepared) {
    if (prepared.taken !== undefined) take(state, prepared.taken)
    if (prepared.put !== undefined) put(state, prepared.put)
  } else put(state, prepared)
}

function put(state: State, item: Item): void {
  const { tally } = state
  const { app, data, bot, at, refs, pageview, timeline } = item
  item.visitor = tally.visitor(app.appId, data)
  tally.event(app.appId, { atMs: at, bot, visitor: item.visitor, pageview, refs }, 1)
  timeline?.add(item, state.touch)
}

function take(state: State, item: Item): void {
  const { tally } = state
  const { app, data, bot, at, refs, pageview, timeline, contentPosition } = item
  const visitor = tally.visitor(app.appId, data)
  tally.event(app.appId, { atMs: at, bot, visitor, pageview, refs }, -1)
  timeline?.remove(contentPosition, at, state.touch)
}
