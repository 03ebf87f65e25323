// A web tally in hand: counts a list of steps in stretches of a chosen size, and beside it a naive model that adds the same
// steps up in maps, written without a look at the tally.
import { localDays } from '../../../src/kernel/calendar.ts'
import { openDatabase } from '../../../src/kernel/database/open.ts'
import type { Database } from '../../../src/kernel/database.ts'
import { migrate } from '../../../src/kernel/migrations.ts'
import type { EventCollected } from '../../../src/events/eventCollected.ts'
import { bytesOf } from '../../../src/projections/storage/rows.ts'
import { createWebTally, WEB_TALLY_TABLES } from '../../../src/projections/web/counting.ts'
import { newWebMemory, type WebMemory } from '../../../src/projections/web/memory.ts'
import type { WebTally } from '../../../src/projections/web/tally.ts'
import { scratchDirectory } from '../../support/scratch.ts'
import { freshDatabase } from '../../support/servers.ts'
import type { Engine } from './driver.ts'

export interface Step {
  readonly appId: string
  readonly sign: 1 | -1
  readonly atMs: number
  readonly bot: boolean
  readonly data: EventCollected
  /** Dimension and value, of the event itself. */
  readonly values: readonly (readonly [dimension: string, value: string])[]
  /** The visit that the event is alone in, if any. */
  readonly visit?: { readonly bounce: boolean; readonly durationMs: number } | undefined
}

export async function openTallyDatabase(engine: Engine): Promise<Database> {
  const database = await openDatabase(engine === 'sqlite' ? `sqlite:${scratchDirectory('web-tally')}/recount.db` : await freshDatabase())
  await migrate(database)
  return database
}

export interface Cut {
  readonly size: number
  /** Starts from empty memory after each stretch. */
  readonly forgetful?: boolean
  readonly valuesPerDay?: number
  /** To go on from. */
  readonly memory?: WebMemory
}

export async function tallySteps(database: Database, build: number, zones: ReadonlyMap<string, string>, steps: readonly Step[], cut: Cut): Promise<void> {
  let memory = cut.memory ?? newWebMemory()
  for (let at = 0; at < steps.length; at += cut.size) {
    if (cut.forgetful === true) memory = newWebMemory()
    const tally = createWebTally(memory, { timezoneOf: (appId) => zones.get(appId)! }, cut.valuesPerDay)
    const stretch = steps.slice(at, at + cut.size)
    const wanted = stretch.flatMap(({ appId, values, atMs }) =>
      values.map(([dimension, value]) => ({ appId, dimension, value, day: localDays(zones.get(appId)!).at(atMs).day })),
    )
    await tally.prepare(database.knex, build, stretch, wanted)
    for (const step of stretch) count(tally, zones, step)
    await database.knex.transaction((trx) => tally.write(trx, build))
  }
}

function count(tally: WebTally, zones: ReadonlyMap<string, string>, { appId, sign, atMs, bot, data, values, visit }: Step): void {
  const { day } = localDays(zones.get(appId)!).at(atMs)
  const pageview = data.event === 'pageview'
  const visitor = tally.visitor(appId, data)
  const refs = values.map(([dimension, value]) => tally.ref(appId, dimension, value, day))
  const ofVisit = new Set(['source', 'entryPage'])
  const eventRefs = refs.filter((_, index) => !ofVisit.has(values[index]![0]))
  tally.event(appId, { atMs, bot, visitor, pageview, refs: eventRefs }, sign)
  if (visit === undefined) return
  const visitRefs = refs.filter((_, index) => ofVisit.has(values[index]![0]))
  tally.visitEvents(appId, { day, bot, visitor, events: 1, pageviews: pageview ? 1 : 0, refs: visitRefs }, sign)
  tally.visit(appId, { startMs: atMs, bot, pageviews: pageview ? 1 : 0, bounce: visit.bounce, durationMs: visit.durationMs, refs: [...new Set(refs)] }, sign)
}

export async function tallyRows(database: Database, build: number): Promise<Record<string, unknown[]>> {
  const tables: Record<string, unknown[]> = {}
  for (const table of WEB_TALLY_TABLES) {
    const { name, key } = table
    const rows = await database.knex(name).where({ build }).orderBy([...key]).select<Record<string, unknown>[]>('*') // prettier-ignore
    tables[name] = rows.map((row) => Object.fromEntries(Object.entries(table.comparable?.(row) ?? row).filter(([column]) => column !== 'build').map(([column, value]) => [column, plain(value)])))
  }
  return tables
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array || value instanceof ArrayBuffer) return bytesOf(value).toString('hex')
  return value
}

/** What a day, a quarter of an hour or a value on a day adds up to, with people by name. */
export class Naive {
  readonly days = new Map<string, NaiveSums>()
  readonly slots = new Map<string, NaiveSums>()
  readonly cells = new Map<string, NaiveSums>()
  private readonly said = new Map<string, Set<string>>()

  constructor(
    readonly zones: ReadonlyMap<string, string>,
    readonly valuesPerDay = Infinity,
  ) {}

  step({ appId, sign, atMs, bot, data, values, visit }: Step): void {
    const { day } = localDays(this.zones.get(appId)!).at(atMs)
    const place = `${appId} ${day} ${bot ? 1 : 0}`
    const views = data.event === 'pageview' ? 1 : 0
    const one: NaiveSums = { ...nothing(), events: 1, pageviews: views, people: [personOf(data)] }
    if (visit !== undefined) Object.assign(one, { visits: 1, bounces: visit.bounce ? 1 : 0, pageviewVisits: views, viewsInThem: views, durationMs: visit.durationMs })
    add(this.days, place, one, sign)
    add(this.slots, `${place} ${Math.floor(atMs / 900_000)}`, one, sign)
    const cell = { ...nothing(), events: 1, pageviews: views, visits: visit === undefined ? 0 : 1, people: one.people }
    for (const [dimension, value] of values) {
      const said = this.said.get(`${appId} ${day} ${dimension}`) ?? new Set()
      this.said.set(`${appId} ${day} ${dimension}`, said)
      if (said.size < this.valuesPerDay) said.add(value)
      if (visit === undefined && ['source', 'entryPage'].includes(dimension)) continue
      const key = `${place} ${dimension} ${said.has(value) ? value : '(other)'}`
      add(this.cells, key, cell, sign)
    }
  }
}

export interface NaiveSums {
  events: number
  pageviews: number
  visits: number
  bounces: number
  pageviewVisits: number
  viewsInThem: number
  durationMs: number
  people: string[]
}

function nothing(): NaiveSums {
  return { events: 0, pageviews: 0, visits: 0, bounces: 0, pageviewVisits: 0, viewsInThem: 0, durationMs: 0, people: [] }
}

export function personOf({ userId, anonymousId, cookieless }: EventCollected): string {
  if (userId !== undefined) return `u${userId}`
  if (anonymousId !== undefined) return `a${anonymousId}`
  return cookieless === undefined ? '' : `c${cookieless}`
}

function add(to: Map<string, NaiveSums>, key: string, one: NaiveSums, sign: 1 | -1): void {
  const sums = to.get(key) ?? nothing()
  to.set(key, sums)
  for (const name of ['events', 'pageviews', 'visits', 'bounces', 'pageviewVisits', 'viewsInThem', 'durationMs'] as const) sums[name] += sign * one[name]
  for (const person of one.people) {
    if (person === '') continue
    if (sign === 1) sums.people.push(person)
    else sums.people.splice(sums.people.indexOf(person), 1)
  }
  if (sums.events === 0 && sums.visits === 0) to.delete(key)
}
