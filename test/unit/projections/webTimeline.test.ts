import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Seen } from '../../../src/projections/web/seen.ts'
import { Timeline } from '../../../src/projections/web/timeline.ts'
import { readVisit, visitBytes } from '../../../src/projections/web/visitCodec.ts'
import { contributionOf } from '../../../src/projections/web/visitParts.ts'
import { positionsIn } from '../../../src/projections/sets/sortedNumbers.ts'

const MINUTE = 60_000
const BASE = Date.UTC(2024, 1, 29, 23)
const app = { appId: 'app', key: Buffer.alloc(16), latest: 0, longestMs: undefined }
const touch = (): void => undefined

const seen: fc.Arbitrary<Seen> = fc
  .record({
    minutes: fc.integer({ min: 0, max: 240 }),
    kind: fc.constantFrom('pageview', 'other', 'engagement'),
    visitor: fc.integer({ min: -1, max: 2 }),
    refs: fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { maxLength: 4 }),
    page: fc.integer({ min: -1, max: 3 }),
    arrival: fc.option(fc.uniqueArray(fc.integer({ min: 40, max: 44 }), { maxLength: 3 }), { nil: undefined }),
  })
  .map(({ minutes, kind, visitor, refs, page, arrival }) => ({
    at: BASE + minutes * MINUTE,
    position: 0,
    contentPosition: 0,
    interactive: kind !== 'engagement',
    pageview: kind === 'pageview',
    day: Math.floor((BASE + minutes * MINUTE) / 86_400_000),
    visitor,
    refs,
    entry: kind === 'pageview' && page >= 0 ? 20 + page : -1,
    exit: kind === 'pageview' && page >= 0 ? 30 + page : -1,
    arrival: kind === 'engagement' ? undefined : arrival,
  }))

const history = fc.record({
  events: fc.array(seen, { minLength: 1, maxLength: 25 }).map((events) => events.map((event, at) => ({ ...event, position: at + 1, contentPosition: at + 1 }))),
  seed: fc.integer(),
  explicit: fc.boolean(),
})

function timelineOf(events: readonly Seen[], explicit: boolean): Timeline {
  const timeline = new Timeline(app, Buffer.alloc(16), false, explicit)
  timeline.cover(-Infinity, Infinity)
  timeline.contents = new Map()
  for (const event of events) timeline.add(event, touch)
  return timeline
}

function rows(timeline: Timeline): unknown[] {
  return timeline.visits.map((visit) => ({ start: visit.start, end: visit.end, bytes: visitBytes(visit).toString('hex') }))
}

/** As METRICS says it, from scratch: sort, cut at gaps, start at the first interactive event. */
function naiveVisits(events: readonly Seen[], explicit: boolean): unknown[] {
  const sorted = events.toSorted((left, right) => left.at - right.at || left.position - right.position)
  const runs: Seen[][] = []
  for (const event of sorted) {
    const last = runs.at(-1)
    if (last !== undefined && (explicit || event.at - last.at(-1)!.at <= 30 * MINUTE)) last.push(event)
    else runs.push([event])
  }
  return runs.flatMap((run) => {
    const first = run.findIndex(({ interactive }) => interactive)
    if (first === -1) return []
    const visit = run.slice(first)
    const pageviews = visit.filter(({ pageview }) => pageview)
    const interactive = visit.filter((event) => event.interactive)
    const own = new Set([pageviews[0]?.entry ?? -1, pageviews.at(-1)?.exit ?? -1, ...(interactive.find(({ arrival }) => arrival !== undefined)?.arrival ?? [])])
    own.delete(-1)
    const parts = new Map<string, { day: number; visitor: number; events: number; pageviews: number }>()
    for (const { day, visitor, pageview } of visit) {
      const part = parts.get(`${day} ${visitor}`) ?? { day, visitor, events: 0, pageviews: 0 }
      parts.set(`${day} ${visitor}`, { ...part, events: part.events + 1, pageviews: part.pageviews + (pageview ? 1 : 0) })
    }
    return [{
      startMs: visit[0]!.at,
      durationMs: visit.at(-1)!.at - visit[0]!.at,
      pageviews: pageviews.length,
      bounce: interactive.length === 1 && pageviews.length === 1,
      refs: numbers(new Set([...visit.flatMap(({ refs }) => refs), ...own])),
      parts: own.size === 0 ? [] : [...parts.values()].map((part) => ({ ...part, refs: numbers(own) })).sort(byDayAndVisitor),
    }]
  }) // prettier-ignore
}

function folded(timeline: Timeline): unknown[] {
  return timeline.visits.flatMap((visit) => {
    const told = contributionOf(visit, false)
    if (told === undefined) return []
    const { startMs, durationMs, pageviews, bounce, refs } = told.visit
    const parts = told.events.map(({ day, visitor, events, pageviews: views, refs: own }) => ({ day, visitor, events, pageviews: views, refs: numbers(own) }))
    return [{ startMs, durationMs, pageviews, bounce, refs: numbers(refs), parts: parts.sort(byDayAndVisitor) }]
  })
}

function numbers(values: Iterable<number>): number[] {
  return [...values].sort((left, right) => left - right)
}

function byDayAndVisitor(left: { day: number; visitor: number }, right: { day: number; visitor: number }): number {
  return left.day - right.day || left.visitor - right.visitor
}

/** By a generator of its own, so that fast-check can shrink what is shuffled. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  let state = seed >>> 0
  const random = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0)
  return items.map((item) => [random(), item] as const).sort(([left], [right]) => left - right).map(([, item]) => item)
}

describe('a timeline of visits', () => {
  it('is what cutting all events from scratch gives, in whatever order they come', () => {
    fc.assert(
      fc.property(history, ({ events, seed, explicit }) => {
        const inOrder = timelineOf(events, explicit)
        const other = timelineOf(shuffled(events, seed), explicit)
        assert.deepEqual(folded(other), naiveVisits(events, explicit))
        assert.deepEqual(rows(other), rows(inOrder))
        assert.deepEqual(other.visits.flatMap(({ runs }) => [...positionsIn(runs)]).sort((left, right) => left - right), events.map(({ contentPosition }) => contentPosition))
      }),
      { numRuns: 2_000 },
    )
  })

  it('is the same after it was written and read between any two events', () => {
    fc.assert(
      fc.property(history, ({ events, seed, explicit }) => {
        let timeline = timelineOf([], explicit)
        for (const event of shuffled(events, seed)) {
          timeline.add(event, touch)
          const read = timelineOf([], explicit)
          for (const visit of timeline.visits) read.restore(readVisit(visit.start, visit.end, visitBytes(visit)))
          timeline = read
        }
        assert.deepEqual(rows(timeline), rows(timelineOf(events, explicit)))
      }),
      { numRuns: 500 },
    )
  })

  it('is as if they had never been after events were taken out', () => {
    fc.assert(
      fc.property(history, fc.array(fc.nat(24), { maxLength: 5 }), ({ events, seed, explicit }, taken) => {
        const out = new Set(taken.map((at) => events[at % events.length]!))
        const timeline = timelineOf(shuffled(events, seed), explicit)
        for (const { contentPosition, at } of out) timeline.remove(contentPosition, at, touch)
        const left = events.filter((event) => !out.has(event))
        assert.deepEqual(folded(timeline), naiveVisits(left, explicit))
        assert.deepEqual(rows(timeline), rows(timelineOf(left, explicit)))
      }),
      { numRuns: 1_000 },
    )
  })
})
