// What makes one event part of one number, as rules that must all hold: who lists the events of a number and who explains a
// single one ask the same.
import { spanAt, spansOf } from '../intervals.ts'
import type { Interval, StatsQuestion } from '../stats.ts'
import { breakdownField } from './breakdown.ts'
import type { RowTest } from './conditions.ts'
import { ABSENT } from './dictionary.ts'
import type { Gathered } from './gathered.ts'
import { NOBODY } from './identities.ts'
import type { Part } from './logSource.ts'
import { BOT, IN_FORCE, PAGEVIEW } from './rows.ts'
import { personTest } from './userStats.ts'

export interface PartRule {
  readonly rule: string
  readonly test: RowTest
  /** One sentence about a row. */
  readonly detail: (row: number, holds: boolean) => string
}

/** Of a number that is not one of visits. */
export function eventRules(gathered: Gathered, question: StatsQuestion, part: Part): PartRule[] {
  const bots = part.measure === 'botEvents' ? botRule(gathered) : botsRule(gathered, question)
  const asked = askedRules(gathered, question, part)
  return [bots, ...whoseRules(gathered, question), ...asked, ...placeRules(gathered, question, part), ...measureRules(gathered, part)]
}

/** Whose it must be where the question is about one person, and else when it must have happened. */
function whoseRules(gathered: Gathered, question: StatsQuestion): PartRule[] {
  if (question.name !== 'user-stats') return [rangeRule(gathered, question)]
  const detail = (_row: number, holds: boolean): string => `it is ${holds ? '' : 'not '}of the user ${quoted(question.userId)}`
  return [{ rule: 'user', test: personTest(gathered, question), detail }]
}

/** The question's own conditions, and those of its goal or report where the number is about what matches. */
export function askedRules({ asked, defined }: Gathered, question: StatsQuestion, { measure }: Part): PartRule[] {
  const matching = question.name === 'report' || measure === 'conversions' || measure === 'converters'
  return [...asked, ...(matching ? defined : [])].map(({ rule, test, detail }) => ({ rule, test, detail: () => detail }))
}

export function botsRule({ rows, wanted }: Gathered, { bots }: StatsQuestion): PartRule {
  const said = { include: 'bots are included', exclude: 'bots are left out', only: 'only bots count' }[bots]
  const detail = (row: number): string => `${(rows.flags[row]! & BOT) === 0 ? 'it is no event of a bot' : 'its user agent is a bot\'s'}; ${said}`
  return { rule: 'bots', test: wanted, detail }
}

/** Which point, value or row of the answer the number stands in. */
function placeRules(gathered: Gathered, question: StatsQuestion, part: Part): PartRule[] {
  return [...valueRules(gathered, question, part), ...dimensionRules(gathered, question, part), ...intervalRules(gathered, question, part)]
}

export function valueRules(gathered: Gathered, question: StatsQuestion, { value }: Part): PartRule[] {
  if (value === undefined || question.name !== 'breakdown') return []
  const { dictionary, codes } = breakdownField(gathered, question)
  const wanted = dictionary.find(value)
  const detail = (row: number): string => `${question.dimension} is ${quoted(dictionary.valueOf(codes[row]!))}`
  return [{ rule: 'value', test: (row) => wanted !== ABSENT && codes[row] === wanted, detail }]
}

function dimensionRules({ rows }: Gathered, question: StatsQuestion, { dimensions }: Part): PartRule[] {
  if (dimensions === undefined || question.name !== 'report') return []
  return question.report.dimensions.map((name, at) => {
    const { dictionary, codes } = rows.fields.get(name)!
    const wanted = dimensions[at] ?? undefined
    return {
      rule: 'value',
      test: (row) => dictionary.valueOf(codes[row]!) === wanted,
      detail: (row) => `${name} is ${quoted(dictionary.valueOf(codes[row]!))}`,
    }
  })
}

/** When an event must have happened, or a visit started, to be in the part's point; undefined where it may be any. */
export function instantsOf(question: StatsQuestion, { at }: Part): { fromMs: number; toMs: number } | undefined {
  const interval = intervalOf(question)
  if (at === undefined || interval === undefined) return undefined
  const atMs = Date.parse(at)
  const spans = spansOf(question.range, interval)
  const span = spans[spanAt(spans, Math.max(atMs, question.range.fromMs))]!
  return span.atMs === atMs ? span : { fromMs: 0, toMs: 0 }
}

function intervalRules({ rows }: Gathered, question: StatsQuestion, part: Part): PartRule[] {
  const instants = instantsOf(question, part)
  if (instants === undefined) return []
  const test: RowTest = (row) => rows.occurredAt[row]! >= instants.fromMs && rows.occurredAt[row]! < instants.toMs
  return [{ rule: 'interval', test, detail: (_row, holds) => `it happened ${holds ? 'within' : 'outside'} the interval that starts at ${part.at!}` }]
}

function intervalOf(question: StatsQuestion): Interval | undefined {
  if (question.name === 'timeseries') return question.interval
  return question.name === 'report' && question.report.interval !== 'none' ? question.report.interval : undefined
}

export function inForceRule({ rows }: Gathered): PartRule {
  const detail = (row: number, holds: boolean): string => {
    const changedAt = rows.changedAt.get(row)
    if (holds) return changedAt === undefined ? 'it counts as it was collected' : `it counts as it was corrected at position ${changedAt}`
    return changedAt === undefined ? 'its data was erased' : `it was retracted at position ${changedAt}`
  }
  return { rule: 'inForce', test: (row) => (rows.flags[row]! & IN_FORCE) !== 0, detail }
}

function botRule({ rows }: Gathered): PartRule {
  return { rule: 'bots', test: (row) => (rows.flags[row]! & BOT) !== 0, detail: (_row, holds) => (holds ? 'its user agent is a bot\'s' : 'it is no event of a bot') }
}

function rangeRule({ rows, inRange }: Gathered, { range }: StatsQuestion): PartRule {
  const bounds = `${iso(range.fromMs)} (inclusive) to ${iso(range.toMs)} (exclusive)`
  return { rule: 'range', test: inRange, detail: (row, holds) => `it happened at ${iso(rows.occurredAt[row]!)}, ${holds ? 'within' : 'outside'} ${bounds}` }
}

function measureRules({ rows, people }: Gathered, { measure }: Part): PartRule[] {
  if (measure === 'pageviews') {
    const detail = (_row: number, holds: boolean): string => (holds ? 'it is a pageview' : 'it is no pageview')
    return [{ rule: 'pageview', test: (row) => (rows.flags[row]! & PAGEVIEW) !== 0, detail }]
  }
  if (measure !== 'visitors' && measure !== 'converters') return []
  const kinds = ['user', 'anonymous visitor', 'cookieless visitor']
  const detail = (row: number, holds: boolean): string => {
    if (!holds) return 'it names no visitor'
    const person = people[rows.visitor[row]!]!
    return `its visitor counts as the ${kinds[rows.identities.kindOf(person)]!} ${quoted(rows.identities.idOf(person))}`
  }
  return [{ rule: 'visitor', test: (row) => rows.visitor[row] !== NOBODY, detail }]
}

export function iso(atMs: number): string {
  return new Date(atMs).toISOString()
}

function quoted(value: string | undefined): string {
  return value === undefined ? 'absent' : `"${value}"`
}
