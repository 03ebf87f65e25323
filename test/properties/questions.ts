// Random questions about a history, as a client asks them and as the reference answers them.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { breakdown } from '../../src/queries/breakdown.ts'
import { eventSummary } from '../../src/queries/eventSummary.ts'
import { overview } from '../../src/queries/overview.ts'
import type { Query } from '../../src/queries/query.ts'
import { timeseries } from '../../src/queries/timeseries.ts'
import { EVENT_FIELDS, type Said, VISIT_FIELDS } from './facts.ts'
import type { History } from './histories.ts'
import { contentsOf, type Pass, Reference, type Wanted } from './reference.ts'
import type { Stage } from './stage.ts'

const QUERIES = { overview, timeseries, breakdown, 'event-summary': eventSummary } as unknown as Record<Name, Query<never, unknown>>

type Name = 'overview' | 'timeseries' | 'breakdown' | 'event-summary'

export interface Question {
  readonly app: number
  readonly name: Name
  readonly bots: Wanted['bots']
  /** Of the span of the history: where the range begins, and how long it is, in quarters of an hour. */
  readonly from: number
  readonly quarters: number
  /** Moves both bounds off the quarters. */
  readonly offMs: number
  readonly interval: 'hour' | 'day' | 'week' | 'month'
  readonly field: string
  readonly filter: Filtering | undefined
  readonly event: string | undefined
}

interface Filtering {
  readonly text: string
  readonly pass: Pass
}

const FILTERS: readonly Filtering[] = [
  { text: 'page is "/pricing"', pass: (says) => says['page'] === '/pricing' },
  { text: 'page contains ricing and source is Google', pass: (says) => says['page']?.includes('ricing') === true && says['source'] === 'Google' },
  { text: 'metadata.plan in (free, pro) or entryPage is "/"', pass: (says) => says['metadata.plan'] !== undefined || says['entryPage'] === '/' },
  { text: 'device is not mobile and (event is signup or exitPage is not "/")', pass: (says) => says['device'] !== 'mobile' && (says['event'] === 'signup' || says['exitPage'] !== '/') },
]

export const questions: fc.Arbitrary<Question> = fc.record({
  app: fc.constantFrom(0, 0, 1),
  name: fc.constantFrom<Name>('overview', 'timeseries', 'breakdown', 'breakdown', 'event-summary'),
  bots: fc.constantFrom<Wanted['bots']>('include', 'exclude', 'only'),
  from: fc.double({ min: -0.1, max: 1, noNaN: true }),
  quarters: fc.constantFrom(1, 2, 4, 13, 96, 200, 700),
  offMs: fc.constantFrom(0, 0, 0, 1, 420_000),
  interval: fc.constantFrom('hour', 'day', 'week', 'month'),
  field: fc.constantFrom(...EVENT_FIELDS, ...VISIT_FIELDS),
  filter: fc.option(fc.constantFrom(...FILTERS), { nil: undefined, freq: 3 }),
  event: fc.option(fc.constantFrom('pageview', 'signup', 'engagement'), { nil: undefined, freq: 3 }),
})

const QUARTER = 900_000

/** The range in instants; whole local days where the question says so by its length. */
export function rangeOf(history: History, { from, quarters, offMs }: Question): { from: number; to: number } {
  const times = history.steps.map(({ at }) => at)
  const [first, last] = [Math.min(...times), Math.max(...times)]
  const start = Math.floor((first + from * (last - first)) / QUARTER) * QUARTER
  return { from: start + offMs, to: start + quarters * QUARTER + offMs }
}

/** Asks the program. */
export async function asked(stage: Stage, question: Question, range: { from: number; to: number } | { days: readonly [string, string] }, asOf?: number): Promise<Record<string, unknown>> {
  const { name, bots, interval, field, filter, event } = question
  const bounds = 'days' in range ? { from: range.days[0], to: range.days[1] } : { from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() }
  const params = {
    ...bounds,
    bots,
    ...(name === 'timeseries' ? { interval } : {}),
    ...(name === 'breakdown' ? { dimension: field, limit: 500 } : {}),
    ...(event !== undefined && (name === 'timeseries' || name === 'event-summary') ? { event } : {}),
    ...(filter === undefined ? {} : { filter: filter.text }),
    ...(asOf === undefined ? {} : { asOf: String(asOf) }),
  }
  return (await stage.bus.ask(QUERIES[name], stage.apps[question.app]!, params)).body
}

/** Asks the reference, and compares. `steps`: as known after so many of them. */
export function assertAnswer(history: History, question: Question, body: Record<string, unknown>, steps?: number): void {
  const { app, name, bots, interval, field, filter, event } = question
  const named: Pass = event !== undefined && (name === 'timeseries' || name === 'event-summary') ? (says: Said) => says['event'] === event : () => true
  const pass: Pass = (says) => named(says) && (filter?.pass(says) ?? true)
  const range = body['range'] as { from: string; to: string; timezone: string }
  const wanted: Wanted = { from: Date.parse(range.from), to: Date.parse(range.to), bots, pass }
  const reference = new Reference(contentsOf(history, app, steps))
  const answer = Object.fromEntries(Object.entries(body).filter(([key]) => !['range', 'asOf', 'from'].includes(key)))
  if (name === 'overview') assert.deepEqual(answer, reference.overview(wanted))
  else if (name === 'event-summary') assert.deepEqual(answer, { event: event ?? null, ...reference.summary(wanted) })
  else if (name === 'timeseries') assert.deepEqual(answer, { interval, points: reference.timeseries(wanted, interval, history.zones[app]!) })
  else {
    const { rows, ...rest } = reference.breakdown(wanted, field)
    const sorted = rows.sort((left, right) => (right['events'] as number) - (left['events'] as number) || (String(left['value']) < String(right['value']) ? -1 : 1))
    assert.deepEqual(answer, { dimension: field, rows: sorted, ...rest, nextCursor: null })
  }
}
