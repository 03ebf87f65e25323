// What a visit adds to the tally, as it counts where it starts and as its own dimensions count its events; and how the
// difference between two states of a client's visits is told to the tally.
import { addNumber } from '../sets/sortedNumbers.ts'
import type { VisitEventsPart, VisitPart, WebTally } from './tally.ts'
import { partKey, type Visit } from './visit.ts'

export interface Contribution {
  readonly visit: VisitPart
  readonly events: readonly VisitEventsPart[]
}

/** Undefined for engagement alone: that is no visit. */
export function contributionOf(visit: Visit, bot: boolean): Contribution | undefined {
  const { first, entry, exit, arrival, pageviews, others } = visit
  if (first === undefined) return undefined
  const own: number[] = []
  if (entry !== undefined && entry.ref >= 0) addNumber(own, entry.ref)
  if (exit !== undefined && exit.ref >= 0) addNumber(own, exit.ref)
  if (arrival !== undefined) for (const ref of arrival.refs) addNumber(own, ref)
  const bounce = pageviews === 1 && others === 0
  const refs = own.length === 0 ? visit.refs.slice() : visit.refs.concat(own)
  return {
    visit: { startMs: first.at, bot, pageviews, bounce, durationMs: visit.end - first.at, refs },
    events: own.length === 0 ? [] : visit.parts.map(({ day, visitor, events, pageviews: views }) => ({ day, bot, visitor, events, pageviews: views, refs: own })),
  }
}

/** Takes what was counted and counts what is, as far as they differ. */
export function tell(tally: WebTally, appId: string, before: Contribution | undefined, now: Contribution | undefined): void {
  if (before === undefined || now === undefined || !sameVisit(before.visit, now.visit)) {
    if (before !== undefined) tally.visit(appId, before.visit, -1)
    if (now !== undefined) tally.visit(appId, now.visit, 1)
  }
  const left = new Map((now?.events ?? []).map((part) => [partKey(part), part]))
  for (const part of before?.events ?? []) {
    const after = left.get(partKey(part))
    if (after !== undefined && sameEvents(part, after)) left.delete(partKey(part))
    else tally.visitEvents(appId, part, -1)
  }
  for (const part of left.values()) tally.visitEvents(appId, part, 1)
}

function sameVisit(left: VisitPart, right: VisitPart): boolean {
  const same = left.startMs === right.startMs && left.durationMs === right.durationMs && left.pageviews === right.pageviews
  return same && left.bounce === right.bounce && sameNumbers(left.refs, right.refs)
}

function sameEvents(left: VisitEventsPart, right: VisitEventsPart): boolean {
  return left.events === right.events && left.pageviews === right.pageviews && sameNumbers(left.refs, right.refs)
}

function sameNumbers(left: readonly number[], right: readonly number[]): boolean {
  if (left === right) return true
  if (left.length !== right.length) return false
  for (let at = 0; at < left.length; at++) if (left[at] !== right[at]) return false
  return true
}
