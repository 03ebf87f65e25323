// Everything that the answers of one question are counted from: rows, people, visits, and which rows the question is about.
import type { GoalSpec } from '../../events/definitions.ts'
import { formatFilter, parseFilter } from '../../events/filter.ts'
import type { StatsQuestion } from '../stats.ts'
import { fieldTest, filterTest, type RowTest } from './conditions.ts'
import type { LogAnswerOptions, LogSource } from './logSource.ts'
import { definedFilter, EVENT_NAME, eventAsked, isVisitField, needsOf } from './needs.ts'
import { matchesPage } from '../../events/pagePattern.ts'
import { peopleOf } from './people.ts'
import { readRows } from './readRows.ts'
import { BOT, type Field, IN_FORCE, PAGEVIEW, type Rows } from './rows.ts'
import { putVisitFields } from './visitFields.ts'
import { Visits } from './visits.ts'

export interface Gathered {
  readonly rows: Rows
  readonly scanned: number
  /** By identity: the identity it counts as. */
  readonly people: Int32Array
  /** Absent where the question needs none. */
  readonly visits: Visits | undefined
  /** By visit dimension: what single events say, of which visits take theirs. */
  readonly said: ReadonlyMap<string, Field>
  readonly inRange: RowTest
  /** In force, and of those that `bots` wants. */
  readonly wanted: RowTest
  /** What the question's own filter and event name say. */
  readonly passes: RowTest
  /** What its goal or report says: which of the passing ones match. */
  readonly matches: RowTest
  /** The same, one by one. */
  readonly asked: readonly AskedRule[]
  readonly defined: readonly AskedRule[]
}

export interface AskedRule {
  readonly rule: string
  readonly test: RowTest
  /** For people. */
  readonly detail: string
}

export async function gather(log: LogSource, question: StatsQuestion, options: LogAnswerOptions): Promise<Gathered> {
  const needs = needsOf(question)
  const { rows, scanned } = await readRows(log, question.appId, needs, options)
  const visits = needs.visits ? Visits.of(rows) : undefined
  const said = visits === undefined ? new Map<string, Field>() : putVisitFields(rows, visits, [...needs.fields].filter(isVisitField))
  const { occurredAt } = rows
  const { fromMs, toMs } = question.range
  const rules = askedRules(rows, question)
  return {
    rows,
    scanned,
    people: peopleOf(rows),
    visits,
    said,
    inRange: (row) => occurredAt[row]! >= fromMs && occurredAt[row]! < toMs,
    wanted: wantedTest(rows, question.bots),
    passes: every(rules.asked),
    matches: every(rules.defined),
    ...rules,
  }
}

function wantedTest(rows: Rows, bots: StatsQuestion['bots']): RowTest {
  const { flags } = rows
  if (bots === 'include') return (row) => (flags[row]! & IN_FORCE) !== 0
  const found = bots === 'only' ? IN_FORCE | BOT : IN_FORCE
  return (row) => (flags[row]! & (IN_FORCE | BOT)) === found
}

/** The question's own tests first, then those of its goal or report. */
function askedRules(rows: Rows, question: StatsQuestion): Pick<Gathered, 'asked' | 'defined'> {
  const fieldOf = (name: string): Field => rows.fields.get(name)!
  const asked: AskedRule[] = []
  const defined: AskedRule[] = []
  const [spec, text] = [question.name === 'goal' || question.name === 'report' ? defined : asked, definedFilter(question)]
  if (question.filter !== undefined) {
    asked.push({ rule: 'filter', test: filterTest(question.filter, fieldOf), detail: `the filter is: ${formatFilter(question.filter)}` })
  }
  const event = eventAsked(question)
  if (event !== undefined) {
    spec.push({ rule: 'event', test: fieldTest(fieldOf(EVENT_NAME), (value) => value === event), detail: `the event asked for is "${event}"` })
  }
  if (question.name === 'goal') defined.push(...pageRules(rows, question.goal))
  if (text !== undefined) {
    const filter = parseFilter(text)
    defined.push({ rule: 'definitionFilter', test: filterTest(filter, fieldOf), detail: `the definition's filter is: ${formatFilter(filter)}` })
  }
  return { asked, defined }
}

function pageRules(rows: Rows, { page, event }: GoalSpec): AskedRule[] {
  if (page === undefined) return []
  const { flags } = rows
  const onPage = fieldTest(rows.fields.get('page')!, (value) => value !== undefined && matchesPage(page, value))
  const rule = { rule: 'page', test: onPage, detail: `the page asked for is "${page}"` }
  // A page alone means that it was viewed.
  if (event !== undefined) return [rule]
  return [{ rule: 'pageview', test: (row) => (flags[row]! & PAGEVIEW) !== 0, detail: 'a goal of a page alone counts its pageviews' }, rule]
}

function every(rules: readonly AskedRule[]): RowTest {
  const [first, second] = rules
  if (first === undefined) return () => true
  if (second === undefined) return first.test
  return (row) => rules.every(({ test }) => test(row))
}
