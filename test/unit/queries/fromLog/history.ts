// Literal histories of one app in memory, and the questions that tests ask of them.
import { answerFromLog } from '../../../../src/queries/fromLog/logAnswer.ts'
import type { LogAnswerOptions, LogSource } from '../../../../src/queries/fromLog/logSource.ts'
import type { EventCollected } from '../../../../src/events/eventCollected.ts'
import type { ScannedEvent, StoredEvent } from '../../../../src/events/eventLog.ts'
import type { Range } from '../../../../src/queries/query.ts'
import type { BreakdownResult, OverviewResult, StatsQuestion, TimeseriesResult } from '../../../../src/queries/stats.ts'

export const APP = '6b0a4d4e-8a3f-4b58-9d52-2f9a3f0c1d10'
export const GOOGLEBOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'
export const DAY = day('2026-11-02')

type Said = Partial<EventCollected>

/** What an app's partition holds of it; positions leave room for other apps. */
export class History implements LogSource {
  readonly events: ScannedEvent[] = []
  readonly scans: { after: number; limit: number }[] = []

  constructor(private readonly pageSize = Number.POSITIVE_INFINITY) {}

  /** At an ISO time, or at minutes after midnight of DAY; answers the position. */
  add(at: string | number, said: Said = {}): number {
    const data: EventCollected = { event: 'pageview', ...(said.event === undefined ? { url: 'https://example.com/' } : {}), ...said }
    return this.put('EventCollected', timeOf(at), JSON.stringify(data))
  }

  correct(position: number, at: string | number, said: Said): number {
    const data: EventCollected = { event: 'pageview', url: 'https://example.com/', ...said }
    return this.put('EventCorrected', Date.parse('2027-01-01T00:00:00Z'), JSON.stringify({ eventId: APP, position, contentPosition: position, reason: 'wrong', occurredAt: timeOf(at), data }))
  }

  retract(position: number): number {
    return this.put('EventRetracted', Date.parse('2027-01-01T00:00:00Z'), JSON.stringify({ eventId: APP, position, contentPosition: position, reason: 'never happened' }))
  }

  erase(position: number): void {
    const at = this.events.findIndex((event) => event.position === position)
    this.events[at] = { ...this.events[at]!, data: null }
  }

  put(type: string, occurredAt: number, data: string): number {
    const position = (this.events.at(-1)?.position ?? 0) + 3
    this.events.push({ position, type, schemaVersion: 1, occurredAt, recordedAt: position, data })
    return position
  }

  get head(): number {
    return this.events.at(-1)?.position ?? 0
  }

  scan(appId: string, after: number, limit: number): Promise<ScannedEvent[]> {
    this.scans.push({ after, limit })
    if (appId !== APP) return Promise.resolve([])
    return Promise.resolve(this.events.filter(({ position }) => position > after).slice(0, Math.min(limit, this.pageSize)))
  }

  async readApp(appId: string, after: number, limit: number): Promise<StoredEvent[]> {
    const events = await this.scan(appId, after, limit)
    return events.map((event) => ({ ...event, eventId: idAt(event.position) }) as StoredEvent)
  }

  async ask(question: Asked, options: Partial<LogAnswerOptions> = {}): Promise<object> {
    return (await answerFromLog(this, questionOf(question), { upTo: this.head, ...options })).result
  }

  async overview(question: Partial<Asked> = {}): Promise<OverviewResult> {
    return (await this.ask({ ...question, name: 'overview' })) as OverviewResult
  }

  async timeseries(question: Partial<Asked>): Promise<TimeseriesResult> {
    return (await this.ask({ ...question, name: 'timeseries' } as Asked)) as TimeseriesResult
  }

  async breakdown(dimension: string, question: object = {}): Promise<BreakdownResult> {
    return (await this.ask({ sort: 'events', limit: 100, offset: 0, ...question, name: 'breakdown', dimension })) as BreakdownResult
  }

  /** value: [events, visitors, visits, pageviews] */
  async values(dimension: string, question: object = {}): Promise<Record<string, number[]>> {
    const { rows } = await this.breakdown(dimension, question)
    return Object.fromEntries(rows.map(({ value, events, visitors, visits, pageviews }) => [value, [events, visitors, visits, pageviews]]))
  }
}

/** The id of the event at a position. */
export function idAt(position: number): string {
  return `event ${position}`
}

type Optional<Question, Keys extends PropertyKey> = Question extends unknown ? Omit<Question, Keys> & { [Key in Keys & keyof Question]?: Question[Key] } : never
export type Asked = Optional<StatsQuestion, 'appId' | 'range' | 'bots'>

/** Of DAY in UTC, without bots, unless it says otherwise. */
export function questionOf(question: Asked): StatsQuestion {
  return { appId: APP, range: DAY, bots: 'exclude', ...question }
}

export function range(from: string, to: string, timezone = 'UTC'): Range {
  return { fromMs: Date.parse(from), toMs: Date.parse(to), timezone }
}

export function day(date: string): Range {
  const fromMs = Date.parse(`${date}T00:00:00Z`)
  return { fromMs, toMs: fromMs + 86_400_000, timezone: 'UTC' }
}

function timeOf(at: string | number): number {
  return typeof at === 'string' ? Date.parse(at) : DAY.fromMs + at * 60_000
}
