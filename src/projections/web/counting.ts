// The tally of the web read model: what visits and events count for, between the fold that says it and the tables that keep
// it. One per transaction; what it knows of visitors and values it shares with the next by way of the memory.
import type { Knex } from 'knex'
import { LIMITS } from '../../limits.ts'
import { replaceRows, type Value } from '../storage/bulkRows.ts'
import { Contributions } from '../sets/countedSet.ts'
import type { FoldContext, ProjectionTable } from '../projection.ts'
import { loadVisitors, WEB_VISITORS, writeVisitors } from '../visitors/visitorRows.ts'
import { USER } from '../visitors/visitors.ts'
import { writeCells } from './cells.ts'
import { AppChanges } from './changes.ts'
import { loadWebApps, prepareValues, refOf } from './dictionary.ts'
import { trimWebMemory, type WebApp, type WebMemory } from './memory.ts'
import { valueKey } from './read.ts'
import { type CellContent, contentOf } from './pending.ts'
import type { WebTally } from './tally.ts'
import { writeTotals } from './totals.ts'
import type { EventCollected } from '../../events/eventCollected.ts'

/** The tables a tally writes. */
export const WEB_TALLY_TABLES: readonly ProjectionTable[] = [
  { name: 'web_apps', key: ['app_id'] },
  { name: 'web_visitors', key: ['app_id', 'identity'] },
  { name: 'web_people', key: ['app_id', 'chunk'] },
  { name: 'web_dimensions', key: ['app_id', 'dimension_key'] },
  { name: 'web_values', key: ['app_id', 'value_key'] },
  { name: 'web_value_days', key: ['app_id', 'dimension_key', 'day'] },
  { name: 'web_days', key: ['app_id', 'day', 'bot'] },
  { name: 'web_slots', key: ['app_id', 'day', 'bot', 'slot'] },
  {
    name: 'web_cells',
    key: ['app_id', 'dimension_key', 'day', 'block', 'bot'],
    // What is pending depends on how the log was cut.
    comparable: ({ content, pending, ...row }) => ({ ...row, ...settled({ content, pending } as CellContent) }),
  },
]

/** What cannot be put together is compared as it stands: no row counted afresh is like it. */
function settled(row: CellContent): CellContent {
  try {
    return { content: contentOf(row) }
  } catch (error) {
    if (error instanceof RangeError) return row
    throw error
  }
}

/** `valuesPerDay` is for tests: the bound on values of a dimension per local day. */
export function createWebTally(memory: WebMemory, context: Pick<FoldContext, 'timezoneOf'>, valuesPerDay: number = LIMITS.valuesPerDay): WebTally {
  // A fold that was never written left things here that the tables do not have.
  if (memory.open) memory.apps.clear()
  memory.open = false
  const changed = new Map<string, AppChanges>()
  let contributions = new Contributions()
  let lastId: string | undefined
  let last: AppChanges | undefined

  const of = (appId: string): AppChanges => {
    if (appId === lastId) return last!
    let changes = changed.get(appId)
    if (changes === undefined) changed.set(appId, (changes = new AppChanges(appOf(memory, appId), contributions)))
    lastId = appId
    return (last = changes)
  }

  return {
    async prepare(db, build, events, values) {
      memory.open = true
      const apps = new Set<string>()
      const lacking = new Map<WebApp, EventCollected[]>()
      for (const { appId } of events) apps.add(appId)
      for (const { appId } of values) apps.add(appId)
      await loadWebApps(db, build, memory, (appId) => context.timezoneOf(appId), apps)
      for (const { appId, data } of events) {
        const { app } = of(appId)
        if (app.visitors.whole) continue
        const some = lacking.get(app)
        if (some === undefined) lacking.set(app, [data])
        else some.push(data)
      }
      for (const [app, some] of lacking) await loadVisitors(db, build, WEB_VISITORS, app, some)
      await prepareValues(db, build, memory, values, valuesPerDay)
      for (const appId of apps) of(appId)
    },
    visitor: (appId, data) => of(appId).app.visitors.visit(data),
    relink(appId, { kind, id }, userId) {
      const { visitors } = of(appId).app
      const ordinal = visitors.known(kind, id)
      const user = userId === undefined ? undefined : visitors.known(USER, userId)
      if (ordinal === undefined || (userId !== undefined && user === undefined)) throw new Error('an identity to link was not prepared')
      visitors.relink(ordinal, user)
    },
    ref: (appId, dimension, value, day) => refOf(of(appId).app.dimension(dimension), value, day, valuesPerDay),
    event(appId, part, sign) {
      of(appId).event(part, sign)
    },
    visitEvents(appId, part, sign) {
      of(appId).visitEvents(part, sign)
    },
    visit(appId, part, sign) {
      of(appId).visit(part, sign)
    },
    async write(trx, build) {
      await writeAll(trx, build, [...changed.values()])
      changed.clear()
      contributions = new Contributions()
      lastId = undefined
      memory.open = false
      trimWebMemory(memory)
    },
  }
}

function appOf(memory: WebMemory, appId: string): WebApp {
  const app = memory.apps.get(appId)
  if (app === undefined) throw new Error(`app ${appId} was not prepared`)
  return app
}

async function writeAll(trx: Knex.Transaction, build: number, apps: readonly AppChanges[]): Promise<void> {
  for (const { app } of apps) await writeVisitors(trx, build, WEB_VISITORS, app)
  await writeDictionary(trx, build, apps)
  await writeTotals(trx, build, apps)
  await writeCells(trx, build, apps)
  for (const { app, daysTouched } of apps) for (const day of daysTouched) app.writtenDays?.add(day)
  const rows = apps.map(({ app }): Value[] => [build, app.key, app.visitors.size, app.blocks])
  await replaceRows(trx, 'web_apps', ['build', 'app_id', 'visitors', 'blocks'], rows)
}

async function writeDictionary(trx: Knex.Transaction, build: number, apps: readonly AppChanges[]): Promise<void> {
  const dimensions: Value[][] = []
  const values: Value[][] = []
  const days: Value[][] = []
  for (const { app } of apps) {
    for (const dimension of app.dimensions.values()) {
      const { key, name, nextRef, added } = dimension
      if (added.length > 0) dimensions.push([build, app.key, key, Buffer.from(name), nextRef])
      for (const [value, ref] of added) values.push([build, app.key, valueKey(name, value), ref, key, Buffer.from(value)])
      dimension.added = []
      for (const [day, said] of dimension.days) {
        if (!said.changed) continue
        days.push([build, app.key, key, day, said.known, said.refs.toBytes()])
        said.changed = false
      }
    }
  }
  await replaceRows(trx, 'web_dimensions', ['build', 'app_id', 'dimension_key', 'dimension', 'next_ref'], dimensions)
  await replaceRows(trx, 'web_values', ['build', 'app_id', 'value_key', 'ref', 'dimension_key', 'value'], values)
  await replaceRows(trx, 'web_value_days', ['build', 'app_id', 'dimension_key', 'day', 'known', 'refs'], days)
}
