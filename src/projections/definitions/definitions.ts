// Goals and reports, filled from an app's first event on: per definition, revision, local day (or quarter of an hour) and
// group of values the events, their visitors and the numbers they carry. Everything is a sum with an exact inverse. An app
// that has defined neither has no rows here and costs nothing.
import type { FoldEvent } from '../../events/catalogue.ts'
import { contentOf } from '../../events/content.ts'
import { eventCollected } from '../../events/eventCollected.ts'
import { eventCorrected } from '../../events/eventCorrected.ts'
import { eventRetracted } from '../../events/eventRetracted.ts'
import { loadDefined } from './load.ts'
import { changesOf, contribute, type DefinedMemory, type DefinedState, definesAnything, newDefinedState } from './state.ts'
import { writeDefined } from './write.ts'
import { RULESET_VERSION } from '../enrichment/dimensions.ts'
import type { Projection } from '../projection.ts'
import { identityOf, USER } from '../visitors/visitors.ts'

const FOLD_VERSION = 1

export const definitions: Projection<DefinedState, DefinedMemory> = {
  name: 'definitions',
  codeVersion: FOLD_VERSION * 1_000 + RULESET_VERSION,
  source: 'apps',
  zoned: true,
  defined: ({ goals, reports }) => ({ dimensions: [], goals, reports }),
  eventTypes: [eventCollected.type, eventCorrected.type, eventRetracted.type],
  tables: [
    { name: 'def_cells', key: ['app_id', 'definition', 'revision', 'bucket', 'bot', 'group_key'] },
    { name: 'def_apps', key: ['app_id'] },
    { name: 'def_visitors', key: ['app_id', 'identity'] },
    { name: 'def_people', key: ['app_id', 'chunk'] },
  ],
  memory: () => ({ apps: new Map(), open: false }),
  start: newDefinedState,
  load: loadDefined,
  fold(state, events) {
    for (const event of events) if (definesAnything(state, event.appId)) foldOne(state, event)
    relink(state)
  },
  write: writeDefined,
}

function foldOne(state: DefinedState, event: FoldEvent): void {
  const app = state.memory.apps.get(event.appId)!
  const taken = state.taken?.get(event.position)
  if (taken !== undefined) {
    const identity = identityOf(taken.data)
    contribute(state, app, taken, identity === undefined ? -1 : app.visitors.known(identity.kind, identity.id)!, -1)
  }
  const content = contentOf(event)
  if (content === undefined) return
  if (typeof content.data.event !== 'string') throw new TypeError('an event without a name')
  contribute(state, app, content, app.visitors.visit(content.data), 1)
}

/** At the end of a page: links are what the log says, where a correction may have changed them. */
function relink(state: DefinedState): void {
  for (const { app, identity, userId } of state.links) {
    const ordinal = app.visitors.known(identity.kind, identity.id)
    if (ordinal === undefined) continue
    app.visitors.relink(ordinal, userId === undefined ? undefined : app.visitors.known(USER, userId))
    changesOf(state, app)
  }
}
