// The events behind a number, and why a single one is among them or not.
import type { StatsQuestion } from '../stats.ts'
import { gather, type Gathered } from './gathered.ts'
import type { ExplainOptions, ListedEvent, ListOptions, LogSource, Part, Reason, Verdict } from './logSource.ts'
import { eventRules, inForceRule, type PartRule } from './parts.ts'
import { visitRules } from './visitParts.ts'

/**
 * Where the events stand that make up a number, by the position of the content that counts, ascending. Of visits: their
 * events; of visitors: the events with which they count.
 */
export async function listFromLog(log: LogSource, question: StatsQuestion, part: Part, options: ListOptions): Promise<ListedEvent[]> {
  const gathered = await gather(log, question, options)
  const { rows } = gathered
  const [inForce, ...rules] = rulesOf(gathered, question, part)
  const found: ListedEvent[] = []
  for (let row = 0; row < rows.count; row++) {
    if (!inForce.test(row)) continue
    const position = rows.contentPosition(row)
    if (position > options.after && rules.every(({ test }) => test(row))) found.push({ position, eventPosition: rows.position[row]! })
  }
  return found.sort((left, right) => left.position - right.position).slice(0, options.limit)
}

/** Why the event that was collected or corrected at this position is in a number, or is not. */
export async function explainFromLog(log: LogSource, question: StatsQuestion, position: number, options: ExplainOptions): Promise<Verdict> {
  const gathered = await gather(log, question, options)
  const row = rowAt(gathered, position)
  if (row === undefined) {
    return { counted: false, reasons: [{ rule: 'collected', holds: false, detail: `no event of the app stands at position ${position}, up to position ${options.upTo}` }] }
  }
  const reasons: Reason[] = [{ rule: 'collected', holds: true, detail: `it was collected at position ${gathered.rows.position[row]!}` }]
  for (const { rule, test, detail } of rulesOf(gathered, question, options.part ?? { measure: partOf(question) })) {
    const holds = test(row)
    reasons.push({ rule, holds, detail: detail(row, holds) })
    // Of what is not in force there is nothing more to say.
    if (rule === 'inForce' && !holds) break
  }
  return { counted: reasons.every(({ holds }) => holds), reasons }
}

function rulesOf(gathered: Gathered, question: StatsQuestion, part: Part): [PartRule, ...PartRule[]] {
  const rules = part.measure === 'visits' ? visitRules(gathered, question, part) : eventRules(gathered, question, part)
  return [inForceRule(gathered), ...rules]
}

function partOf({ name }: StatsQuestion): Part['measure'] {
  return name === 'goal' ? 'conversions' : 'events'
}

/** Of an event, or of one of its corrections and retractions. */
function rowAt({ rows }: Gathered, position: number): number | undefined {
  const row = rows.find(position)
  if (row !== undefined) return row
  for (const [changed, changedAt] of rows.changedAt) if (changedAt === position) return changed
  return undefined
}
