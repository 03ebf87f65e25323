// What the web read model should hold of one app, worked out naively from the events that count, and what its tables do hold,
// in the same words: values as text, visitors by name.
import { uuidToBytes } from '../../../src/kernel/ids.ts'
import { ARRIVAL_DIMENSIONS, EVENT_DIMENSIONS } from '../../../src/events/dimensionNames.ts'
import type { EventCollected } from '../../../src/events/eventCollected.ts'
import { localDays } from '../../../src/kernel/calendar.ts'
import { arrivalValues, eventValues } from '../../../src/projections/enrichment/dimensions.ts'
import { bytesOf } from '../../../src/projections/storage/rows.ts'
import { PeopleChunk } from '../../../src/projections/visitors/visitorIndex.ts'
import { identityKey, identityOf, linkedIdentities } from '../../../src/projections/visitors/visitors.ts'
import { readVisit } from '../../../src/projections/web/visitCodec.ts'
import { contributionOf } from '../../../src/projections/web/visitParts.ts'
import type { Collected, Driver } from './driver.ts'

const GAP = 30 * 60_000

interface Run {
  readonly bot: boolean
  readonly events: Collected[]
}

const isBot = ({ userAgent }: EventCollected): boolean => userAgent?.includes('bot') === true

/** Visits by client, in the words of METRICS. `events` come in the order in which they were collected. */
function visitsOf(events: readonly Collected[]): Run[] {
  const clients = new Map<string, Collected[]>()
  for (const event of events) {
    const { data } = event
    const id = data.sessionId ?? data.anonymousId ?? data.cookieless ?? data.userId
    if (id === undefined || (data.interactive === false && data.event !== 'engagement')) continue
    const kind = data.sessionId !== undefined ? 's' : data.anonymousId !== undefined ? 'a' : data.cookieless !== undefined ? 'c' : 'u'
    const key = `${isBot(data)} ${kind} ${id}`
    clients.set(key, [...(clients.get(key) ?? []), event])
  }
  const visits: Run[] = []
  for (const [key, own] of clients) {
    const runs: Collected[][] = []
    // The sort is stable: what was collected first stays first.
    for (const event of own.toSorted((left, right) => left.at - right.at)) {
      const last = runs.at(-1)
      if (last !== undefined && (key.includes(' s ') || event.at - last.at(-1)!.at <= GAP)) last.push(event)
      else runs.push([event])
    }
    for (const run of runs) {
      const first = run.findIndex(({ data }) => data.event !== 'engagement')
      if (first >= 0) visits.push({ bot: key.startsWith('true'), events: run.slice(first) })
    }
  }
  return visits
}

function told({ bot, events }: Run) {
  const pages = events.filter(({ data }) => data.event === 'pageview')
  const others = events.filter(({ data }) => data.event !== 'engagement' && data.event !== 'pageview')
  const arrived = events.find(({ data }) => data.event !== 'engagement' && data.url !== undefined)
  const values = new Set<string>()
  for (const { data } of events) eventValues(data).forEach((value, at) => value !== undefined && values.add(`${EVENT_DIMENSIONS[at]!}=${value}`))
  const pageOf = (event: Collected | undefined): string | undefined => (event === undefined ? undefined : eventValues(event.data)[1])
  if (pages.length > 0) values.add(`entryPage=${pageOf(pages[0])}`).add(`exitPage=${pageOf(pages.at(-1))}`)
  if (arrived !== undefined) arrivalValues(arrived.data).forEach((value, at) => value !== undefined && values.add(`${ARRIVAL_DIMENSIONS[at]!}=${value}`))
  const startMs = events[0]!.at
  return {
    bot, startMs, durationMs: events.at(-1)!.at - startMs, pageviews: pages.length, bounce: pages.length === 1 && others.length === 0,
    events: events.length, visitors: sorted(new Set(events.flatMap(({ data }) => nameOf(data) ?? []))), values: sorted(values),
  } // prettier-ignore
}

function nameOf(data: EventCollected): string | undefined {
  const identity = identityOf(data)
  return identity === undefined ? undefined : identityKey(identity.kind, identity.id).toString('hex')
}

function sorted(values: Iterable<string>): string[] {
  return [...values].sort()
}

function inOrder<T extends object>(items: readonly T[]): T[] {
  return items.toSorted((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1))
}

export function expectedVisits(events: readonly Collected[]): unknown[] {
  return inOrder(visitsOf(events).map(told))
}

export async function storedVisits(driver: Driver, build: number, appId: string): Promise<unknown[]> {
  const { knex } = driver.database
  const these = { build, app_id: uuidToBytes(appId) }
  const dimensions = await knex('web_dimensions').where(these).select<{ dimension_key: Buffer; dimension: Buffer }[]>('*')
  const names = new Map(dimensions.map((row) => [bytesOf(row.dimension_key).toString('hex'), bytesOf(row.dimension).toString()]))
  const rows = await knex('web_values').where(these).select<{ ref: number; dimension_key: Buffer; value: Buffer }[]>('*')
  const values = new Map(rows.map((row) => [row.ref, `${names.get(bytesOf(row.dimension_key).toString('hex'))!}=${bytesOf(row.value).toString()}`]))
  const people = await visitorNames(driver, build, appId)
  const visits = await knex('web_visits').where(these).select<{ start_at: number | string; end_at: number | string; visit_at: number | string | null; bot: number; visitor: number; content: Buffer }[]>('*')
  return inOrder(
    visits.flatMap((row) => {
      const visit = readVisit(Number(row.start_at), Number(row.end_at), bytesOf(row.content))
      const contribution = contributionOf(visit, row.bot === 1)
      if (contribution === undefined) return []
      const { bot, startMs, durationMs, pageviews, bounce, refs } = contribution.visit
      const visitors = visit.parts.map(({ visitor }) => visitor).filter((visitor) => visitor >= 0)
      if (row.visitor !== Math.min(...visitors, Infinity) && row.visitor !== -1) throw new Error('the row names another visitor')
      if (Number(row.visit_at) !== startMs) throw new Error('the row names another start')
      const events = visit.parts.reduce((sum, part) => sum + part.events, 0)
      return [{ bot, startMs, durationMs, pageviews, bounce, events, visitors: sorted(new Set(visitors.map((visitor) => people.get(visitor)!))), values: sorted(refs.map((ref) => values.get(ref)!)) }]
    }),
  )
}

async function visitorNames(driver: Driver, build: number, appId: string): Promise<Map<number, string>> {
  const rows = await driver.database.knex('web_visitors').where({ build, app_id: uuidToBytes(appId) }).select<{ identity: Buffer; ordinal: number }[]>('*')
  return new Map(rows.map(({ ordinal, identity }) => [ordinal, bytesOf(identity).toString('hex')]))
}

export function expectedDays(events: readonly Collected[], timezone: string): unknown[] {
  const days = new Map<string, Record<string, number>>()
  const add = (at: number, bot: boolean, counts: Record<string, number>): void => {
    const { day } = localDays(timezone).at(at)
    const key = `${day} ${bot}`
    const sums = days.get(key) ?? { day, bot: bot ? 1 : 0, events: 0, pageviews: 0, visits: 0, bounces: 0, duration_ms: 0 }
    for (const [name, count] of Object.entries(counts)) sums[name]! += count
    days.set(key, sums)
  }
  for (const { at, data } of events) add(at, isBot(data), { events: 1, pageviews: data.event === 'pageview' ? 1 : 0 })
  for (const visit of visitsOf(events).map(told)) add(visit.startMs, visit.bot, { visits: 1, bounces: visit.bounce ? 1 : 0, duration_ms: visit.durationMs })
  return inOrder([...days.values()])
}

export async function storedDays(driver: Driver, build: number, appId: string): Promise<unknown[]> {
  const columns = ['day', 'bot', 'events', 'pageviews', 'visits', 'bounces', 'duration_ms']
  const rows = await driver.database.knex('web_days').where({ build, app_id: uuidToBytes(appId) }).select<Record<string, number>[]>(columns)
  const numbers = rows.map((row) => Object.fromEntries(columns.map((column) => [column, Number(row[column])])))
  return inOrder(numbers.filter(({ events }) => events !== 0))
}

/** The first that links wins, in the order of collection, by what each says now. */
export function expectedLinks(events: readonly Collected[]): unknown {
  const links = new Map<string, string>()
  for (const { data } of events) {
    for (const { kind, id } of linkedIdentities(data)) {
      const name = identityKey(kind, id).toString('hex')
      if (!links.has(name)) links.set(name, nameOf(data)!)
    }
  }
  return inOrder([...links])
}

export async function storedLinks(driver: Driver, build: number, appId: string): Promise<unknown> {
  const people = await visitorNames(driver, build, appId)
  const rows = await driver.database.knex('web_people').where({ build, app_id: uuidToBytes(appId) }).select<{ chunk: number; kinds: Buffer; links: Buffer }[]>('*')
  return inOrder(rows.flatMap(({ kinds, links }) => [...PeopleChunk.read(bytesOf(kinds), bytesOf(links)).links].map(([ordinal, user]) => [people.get(ordinal)!, people.get(user)!])))
}
