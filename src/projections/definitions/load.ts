// Brings in what folding a stretch of events needs of an app that has goals or reports: its visitors, the contents that are
// taken back, and the links that corrections may have changed. Apps without definitions cost nothing here.
import type { Knex } from 'knex'
import type { FoldEvent } from '../../events/catalogue.ts'
import type { EventCollected } from '../../events/eventCollected.ts'
import { bytesToUuid, uuidToBytes } from '../../kernel/ids.ts'
import { matchersOf } from './match.ts'
import { DEFINED_VISITORS, DefinedApp, type DefinedState, definesAnything } from './state.ts'
import { firstLinks, identityName, readContent } from '../visitors/links.ts'
import type { EventReader } from '../projection.ts'
import { bytesOf } from '../storage/rows.ts'
import { chunks } from '../storage/rowSets.ts'
import { changedLinks, takingsOf } from '../visitors/takings.ts'
import { loadLastChunk, loadVisitors } from '../visitors/visitorRows.ts'

export async function loadDefined(db: Knex, build: number, state: DefinedState, all: readonly FoldEvent[], reader: EventReader): Promise<void> {
  state.memory.open = true
  state.taken = undefined
  state.links = []
  const events = all.filter(({ appId }) => definesAnything(state, appId))
  if (events.length === 0) return
  await loadApps(db, build, state, new Set(events.map(({ appId }) => appId)))
  state.taken = await takingsOf(events, reader)
  if (state.taken !== undefined) state.links = await linksAfter(state, events, reader)
  const wanted = new Map<DefinedApp, EventCollected[]>()
  const want = (app: DefinedApp, data: EventCollected | undefined): void => {
    if (data === undefined || app.visitors.whole) return
    const list = wanted.get(app)
    if (list === undefined) wanted.set(app, [data])
    else list.push(data)
  }
  for (const event of events) {
    const app = state.memory.apps.get(event.appId)!
    want(app, readContent(event)?.data)
    want(app, state.taken?.get(event.position)?.data)
  }
  for (const { app, userId } of state.links) if (userId !== undefined) want(app, { event: '', userId })
  for (const [app, contents] of wanted) await loadVisitors(db, build, DEFINED_VISITORS, app, contents)
}

async function linksAfter(state: DefinedState, events: readonly FoldEvent[], reader: EventReader): Promise<DefinedState['links']> {
  const links: DefinedState['links'][number][] = []
  const upTo = events.at(-1)!.position
  for (const [appId, identities] of changedLinks(events, state.taken!)) {
    const app = state.memory.apps.get(appId)!
    const found = await firstLinks(reader, appId, identities, upTo)
    links.push(...identities.map((identity) => ({ app, identity, userId: found.get(identityName(identity))?.userId })))
  }
  return links
}

async function loadApps(db: Knex, build: number, { memory, context }: DefinedState, wanted: ReadonlySet<string>): Promise<void> {
  const missing = [...wanted].filter((appId) => !memory.apps.has(appId))
  for (const ids of chunks(missing)) {
    const rows = await db('def_apps')
      .where({ build })
      .whereIn('app_id', ids.map(uuidToBytes))
      .select<{ app_id: Uint8Array | ArrayBuffer; visitors: number }[]>('app_id', 'visitors')
    const visitors = new Map(rows.map((row) => [bytesToUuid(bytesOf(row.app_id)), row.visitors]))
    for (const id of ids) {
      const app = new DefinedApp(id, context.timezoneOf(id), matchersOf(context.definitionsOf(id)), visitors.get(id))
      memory.apps.set(id, app)
      await loadLastChunk(db, build, DEFINED_VISITORS, app)
    }
  }
}
