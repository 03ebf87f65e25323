// Random histories of several apps: clients that come and go around local midnights and changes of the clock, late and in
// disorder, with duplicates, corrections and retractions.
import fc from 'fast-check'
import type { EventCollected } from '../../src/events/eventCollected.ts'
import { AGENTS, EVENTS, PLACES, REFERRERS } from './facts.ts'

export interface Sent {
  readonly kind: 'collected'
  readonly app: number
  /** Small numbers, so that the same event comes twice now and then. */
  readonly id: number
  readonly at: number
  readonly data: EventCollected
}

export interface Mended {
  readonly kind: 'corrected' | 'retracted'
  /** Which of the collected events before it, by a fraction of their number. */
  readonly target: number
  readonly at: number
  readonly data: EventCollected
}

export type Step = Sent | Mended

export interface History {
  readonly zones: readonly string[]
  readonly steps: readonly Step[]
}

const MINUTE = 60_000

/** Instants around which histories happen: each with a zone where something odd happens then. */
const MOMENTS: readonly { readonly zone: string; readonly at: string }[] = [
  { zone: 'UTC', at: '2025-06-14T23:10:00Z' },
  { zone: 'America/New_York', at: '2025-03-09T06:00:00Z' },
  { zone: 'America/New_York', at: '2025-11-02T04:30:00Z' },
  { zone: 'Europe/Berlin', at: '2025-10-26T00:00:00Z' },
  { zone: 'Asia/Kathmandu', at: '2025-05-05T17:40:00Z' },
  { zone: 'Pacific/Apia', at: '2011-12-30T09:00:00Z' },
  { zone: 'Australia/Lord_Howe', at: '2025-04-05T14:00:00Z' },
  { zone: 'America/Sao_Paulo', at: '2018-11-04T02:00:00Z' },
]

const clients: fc.Arbitrary<Partial<EventCollected>> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a1', 'a2', 'a3').map((anonymousId) => ({ anonymousId })) },
  { weight: 2, arbitrary: fc.constantFrom('u1', 'u2').map((userId) => ({ userId })) },
  { weight: 2, arbitrary: fc.record({ anonymousId: fc.constantFrom('a1', 'a2', 'a3'), userId: fc.constantFrom('u1', 'u2') }) },
  { weight: 2, arbitrary: fc.constantFrom('c'.repeat(22), 'd'.repeat(22)).map((cookieless) => ({ cookieless })) },
  { weight: 1, arbitrary: fc.record({ sessionId: fc.constantFrom('s1', 's2'), anonymousId: fc.constantFrom('a1', 'a4') }) },
  { weight: 1, arbitrary: fc.constant({}) },
)

const contents: fc.Arbitrary<EventCollected> = fc
  .record({
    client: clients,
    event: fc.constantFrom(...EVENTS, EVENTS[0]!, EVENTS[0]!, EVENTS[0]!),
    agent: fc.constantFrom(...AGENTS, AGENTS[1]!, AGENTS[1]!, AGENTS[1]!),
    place: fc.constantFrom(...PLACES),
    referrer: fc.constantFrom(...REFERRERS),
    plan: fc.constantFrom(undefined, 'free', 'pro'),
    price: fc.constantFrom(undefined, 0.1, 0.2, 3, 7),
  })
  .map(({ client, event: { event, interactive, needsUrl }, agent, place, referrer, plan, price }) => {
    const url = place.url ?? (needsUrl === true ? PLACES[1]!.url : undefined)
    const metadata = { ...(plan === undefined ? {} : { plan }), ...(price === undefined ? {} : { price }) }
    return {
      ...client,
      event,
      ...(interactive === false ? { interactive } : {}),
      ...(agent.text === undefined ? {} : { userAgent: agent.text }),
      ...(url === undefined ? {} : { url }),
      ...(referrer.text === undefined ? {} : { referrer: referrer.text }),
      ...(price === undefined ? {} : { value: price, currency: 'EUR' }),
      ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    }
  })

/** Minutes from one event to the next: within a visit, at its very edge, beyond it, the next day. */
const gaps = fc.constantFrom(0, 0, 1, 4, 14, 29, 30, 31, 60, 200, 720, 1_500)

export function histories(maxSteps: number): fc.Arbitrary<History> {
  return fc
    .record({
      moments: fc.array(fc.constantFrom(...MOMENTS), { minLength: 2, maxLength: 2 }),
      steps: fc.array(
        fc.record({
          app: fc.constantFrom(0, 0, 0, 1),
          gap: gaps,
          // Most come in order; some long after, some a little before.
          late: fc.constantFrom(0, 0, 0, 0, 3, 25, 45, 1_440, 3_000),
          seconds: fc.integer({ min: 0, max: 59 }),
          id: fc.integer({ min: 0, max: 10_000 }),
          data: contents,
          mend: fc.option(fc.record({ kind: fc.constantFrom('corrected' as const, 'retracted' as const), target: fc.double({ min: 0, max: 0.999, noNaN: true }) }), { freq: 6 }),
        }),
        { minLength: 1, maxLength: maxSteps },
      ),
    })
    .map(({ moments, steps }) => {
      const clock = moments.map(({ at }) => Date.parse(at))
      const made: Step[] = []
      for (const { app, gap, late, seconds, id, data, mend } of steps) {
        clock[app]! += gap * MINUTE
        const at = clock[app]! - late * MINUTE + seconds * 1_000
        made.push({ kind: 'collected', app, id, at, data })
        if (mend !== null) made.push({ ...mend, at: at + gap * MINUTE, data })
      }
      return { zones: moments.map(({ zone }) => zone), steps: made }
    })
}
