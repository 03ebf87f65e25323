// What METRICS says, computed naively from a list of contents: no index, no table, no order to rely on, and no code shared with
// what it checks.
import type { EventCollected } from '../../src/events/eventCollected.ts'
import { arrivalSays, eventSays, isBot, type Said } from './facts.ts'
import type { History } from './histories.ts'

export interface Counted {
  readonly order: number
  at: number
  data: EventCollected
}

/** What counts of one app after all of a history's steps, or after the first so many. */
export function contentsOf(history: History, app: number, steps = history.steps.length): Counted[] {
  const collected: (Counted & { readonly key: string; gone: boolean })[] = []
  const known = new Set<string>()
  for (const step of history.steps.slice(0, steps)) {
    if (step.kind === 'collected') {
      const key = `${step.app} ${step.id}`
      if (known.has(key)) continue
      known.add(key)
      collected.push({ key, order: collected.length, at: step.at, data: step.data, gone: false })
    } else {
      const target = collected[Math.floor(step.target * collected.length)]!
      if (target.gone) continue
      if (step.kind === 'retracted') target.gone = true
      else Object.assign(target, { at: step.at, data: step.data })
    }
  }
  return collected.filter(({ key, gone }) => key.startsWith(`${app} `) && !gone)
}

interface Visit {
  readonly events: readonly Counted[]
  readonly start: number
  readonly end: number
  readonly says: Said
}

export type Pass = (says: Said) => boolean

export interface Wanted {
  readonly from: number
  readonly to: number
  readonly bots: 'include' | 'exclude' | 'only'
  readonly pass: Pass
}

const GAP = 30 * 60_000

export class Reference {
  private readonly owners = new Map<string, string>()
  private readonly visits: readonly Visit[]
  private readonly visitOf = new Map<Counted, Visit>()

  constructor(private readonly contents: readonly Counted[]) {
    for (const { data } of [...contents].sort((left, right) => left.order - right.order)) {
      if (data.userId === undefined) continue
      for (const id of [data.anonymousId && `anonymousId ${data.anonymousId}`, data.cookieless && `cookieless ${data.cookieless}`]) {
        if (id !== undefined && id !== '' && !this.owners.has(id)) this.owners.set(id, `userId ${data.userId}`)
      }
    }
    this.visits = visitsOf(contents)
    for (const visit of this.visits) for (const event of visit.events) this.visitOf.set(event, visit)
  }

  overview(wanted: Wanted): Record<string, unknown> {
    const visits = this.visitsIn(wanted)
    const viewed = visits.filter(({ events }) => events.some(isPageview))
    const bounces = viewed.filter(({ events }) => events.filter(({ data }) => role(data) === 'interactive').length === 1)
    const views = viewed.flatMap(({ events }) => events.filter(isPageview)).length
    const duration = visits.reduce((sum, { start, end }) => sum + (end - start), 0)
    const people = [...this.people(this.eventsIn(wanted))]
    const by = (kind: string): number => people.filter((person) => person.startsWith(`${kind} `)).length
    return {
      ...this.counts(wanted),
      bounceRate: viewed.length === 0 ? null : bounces.length / viewed.length,
      visitDurationSeconds: visits.length === 0 ? null : duration / (visits.length * 1_000),
      viewsPerVisit: viewed.length === 0 ? null : views / viewed.length,
      visitorsBy: { userId: by('userId'), anonymousId: by('anonymousId'), cookieless: by('cookieless') },
      botEvents: this.eventsIn({ ...wanted, bots: 'only' }).length,
    }
  }

  counts(wanted: Wanted): { visitors: number; visits: number; pageviews: number; events: number } {
    const events = this.eventsIn(wanted)
    return {
      visitors: this.people(events).size,
      visits: this.visitsIn(wanted).length,
      pageviews: events.filter(isPageview).length,
      events: events.length,
    }
  }

  breakdown(wanted: Wanted, field: string): { rows: Record<string, unknown>[]; total: number; without: number; values: number } {
    const events = this.eventsIn(wanted)
    const everywhere = this.contents.filter((event) => wanted.pass(this.says(event)))
    const values = new Set([...events, ...everywhere].map((event) => this.says(event)[field]).filter((value) => value !== undefined))
    const rows = [...values].map((value) => {
      const pass: Pass = (says) => wanted.pass(says) && says[field] === value
      return { value, ...this.counts({ ...wanted, pass }) }
    })
    const present = rows.filter((row) => row.events > 0 || row.visits > 0)
    return { rows: present, total: events.length, without: events.filter((event) => this.says(event)[field] === undefined).length, values: present.length }
  }

  /** In steps of a quarter of an hour, which every interval of every zone is made of. */
  timeseries(wanted: Wanted, interval: 'hour' | 'day' | 'week' | 'month', zone: string): Record<string, unknown>[] {
    const quarter = 900_000
    const labelled = new Map<string, { start: number; from: number; to: number }>()
    for (let at = Math.floor(wanted.from / quarter) * quarter; at < wanted.to; at += quarter) {
      const label = labelOf(at, interval, zone)
      const known = labelled.get(label)
      if (known !== undefined) known.to = Math.min(at + quarter, wanted.to)
      else {
        let start = at
        while (labelled.size === 0 && labelOf(start - quarter, interval, zone) === label) start -= quarter
        labelled.set(label, { start, from: Math.max(at, wanted.from), to: Math.min(at + quarter, wanted.to) })
      }
    }
    return [...labelled.values()].map(({ start, from, to }) => ({ at: new Date(start).toISOString(), ...this.counts({ ...wanted, from, to }) }))
  }

  summary(wanted: Wanted): { count: number; uniqueUsers: number; deviceData: Record<string, number> } {
    const events = this.eventsIn(wanted)
    const deviceData = { desktop: 0, mobile: 0, tablet: 0, tv: 0, console: 0, wearable: 0, other: 0, unknown: 0 }
    for (const event of events) deviceData[(this.says(event)['device'] ?? 'unknown') as keyof typeof deviceData]++
    return { count: events.length, uniqueUsers: this.people(events).size, deviceData }
  }

  /** Everything that an event can be asked for: what it says itself, and what its visit says. */
  private says(event: Counted): Said {
    return { ...this.visitOf.get(event)?.says, ...eventSays(event.data) }
  }

  private eventsIn({ from, to, bots, pass }: Wanted): Counted[] {
    return this.contents.filter((event) => event.at >= from && event.at < to && allowed(event, bots) && pass(this.says(event)))
  }

  private visitsIn({ from, to, bots, pass }: Wanted): Visit[] {
    return this.visits.filter(
      ({ start, events }) => start >= from && start < to && allowed(events[0]!, bots) && events.some((event) => pass(this.says(event))),
    )
  }

  private people(events: readonly Counted[]): Set<string> {
    const found = new Set<string>()
    for (const { data } of events) {
      const { userId, anonymousId, cookieless } = data
      const id = userId !== undefined ? `userId ${userId}` : anonymousId !== undefined ? `anonymousId ${anonymousId}` : cookieless !== undefined ? `cookieless ${cookieless}` : undefined
      if (id !== undefined) found.add(this.owners.get(id) ?? id)
    }
    return found
  }
}

function allowed({ data }: Counted, bots: Wanted['bots']): boolean {
  return bots === 'include' || isBot(data) === (bots === 'only')
}

function isPageview({ data }: Counted): boolean {
  return data.event === 'pageview'
}

function role(data: EventCollected): 'interactive' | 'engagement' | 'passive' {
  if (data.event === 'engagement') return 'engagement'
  return data.interactive === false ? 'passive' : 'interactive'
}

function visitsOf(contents: readonly Counted[]): Visit[] {
  const clients = new Map<string, Counted[]>()
  for (const event of contents) {
    const { sessionId, anonymousId, cookieless, userId } = event.data
    const client = sessionId !== undefined ? `s ${sessionId}` : anonymousId !== undefined ? `a ${anonymousId}` : cookieless !== undefined ? `c ${cookieless}` : userId !== undefined ? `u ${userId}` : undefined
    if (client === undefined || role(event.data) === 'passive') continue
    const key = `${isBot(event.data) ? 'bot ' : ''}${client}`
    clients.set(key, [...(clients.get(key) ?? []), event])
  }
  const visits: Visit[] = []
  for (const [key, events] of clients) {
    const sorted = events.sort((left, right) => left.at - right.at || left.order - right.order)
    const runs: Counted[][] = []
    for (const event of sorted) {
      const last = runs.at(-1)?.at(-1)
      if (last === undefined || (event.at - last.at > GAP && !/^(bot )?s /.test(key))) runs.push([])
      runs.at(-1)!.push(event)
    }
    for (const run of runs) {
      const first = run.findIndex(({ data }) => role(data) === 'interactive')
      if (first !== -1) visits.push(visitOf(run.slice(first)))
    }
  }
  return visits
}

function visitOf(events: readonly Counted[]): Visit {
  const pages = events.filter(isPageview).map(({ data }) => eventSays(data)['page'])
  const arriving = events.find(({ data }) => role(data) === 'interactive' && data.url !== undefined)
  const says = { entryPage: pages[0], exitPage: pages.at(-1), ...(arriving === undefined ? {} : arrivalSays(arriving.data)) }
  return { events, start: events[0]!.at, end: events.at(-1)!.at, says }
}

/** The local date of an instant as ISO 8601. */
export function localDate(at: number, zone: string): string {
  return labelOf(at, 'day', zone)
}

const formats = new Map<string, Intl.DateTimeFormat>()

function labelOf(at: number, interval: 'hour' | 'day' | 'week' | 'month', zone: string): string {
  let format = formats.get(zone)
  if (format === undefined) {
    const fields = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', timeZoneName: 'longOffset' } as const
    formats.set(zone, (format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', ...fields })))
  }
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value])) as Record<string, string>
  const date = `${parts['year']}-${parts['month']}-${parts['day']}`
  if (interval === 'hour') return `${date} ${parts['hour']} ${parts['timeZoneName']}`
  if (interval === 'day') return date
  if (interval === 'month') return date.slice(0, 7)
  const weekday = (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7
  return new Date(Date.parse(`${date}T00:00:00Z`) - weekday * 86_400_000).toISOString().slice(0, 10)
}
