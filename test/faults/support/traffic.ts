// What clients send: single events and batches of every size, late ones and repeated ones, and now and then one that must be
// refused. Drawn from a seed, so a run is replayed with the same payloads in the same order per client.
import { type AppBooks, INVALID } from './ledger.ts'
import type { Random } from './random.ts'

export interface TrafficShape {
  /** Of all requests: with one event alone. */
  readonly singles: number
  readonly batchMin: number
  readonly batchMax: number
}

export interface Drawn {
  readonly app: AppBooks
  readonly counters: readonly number[]
  readonly invalid: ReadonlySet<number>
  readonly body: string
  readonly ackStored: boolean
  /** 1 to 3: how often it is sent at once, to different processes. */
  readonly copies: number
  /** Sent once more after it was acknowledged. */
  readonly again: boolean
  /** A client that does not try again when the answer was lost. */
  readonly impatient: boolean
}

const DAY_MS = 86_400_000
/** Late events claim days before this one. */
const LATEST_MS = Date.UTC(2026, 9, 1)
const EVENTS = ['signup', 'play', 'search', 'buy', 'share'] as const
const AGENTS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0',
] as const

/** How many people an app has; who sent an event follows from its counter. */
export const PEOPLE = 5_000

export function personOf(counter: number): number {
  return (Math.imul(counter, 0x9e3779b1) >>> 0) % PEOPLE
}

export function drawRequest(random: Random, apps: readonly AppBooks[], { singles, batchMin, batchMax }: TrafficShape): Drawn {
  const app = random.pick(apps)
  const size = random.next() < singles ? 1 : batchMin + random.int(batchMax - batchMin + 1)
  const faulty = random.next() < 0.05 ? random.int(size) : -1
  const counters: number[] = []
  const invalid = new Set<number>()
  const events: object[] = []
  for (let index = 0; index < size; index++) {
    const counter = app.next(index === faulty ? INVALID : 0)
    counters.push(counter)
    if (index === faulty) invalid.add(index)
    events.push(index === faulty ? invalidEvent(app.idOf(counter), random) : validEvent(app, counter, random))
  }
  const body = JSON.stringify(size === 1 && random.next() < 0.5 ? events[0] : events)
  const chance = random.next()
  const copies = chance < 0.04 ? 2 : chance < 0.06 ? 3 : 1
  return { app, counters, invalid, body, copies, again: chance > 0.96, impatient: chance > 0.5 && chance < 0.6, ackStored: chance > 0.1 && chance < 0.14 }
}

export function validEvent(app: AppBooks, counter: number, random: Random): object {
  const isPage = random.next() < 0.6
  const late = random.next() < 0.1 ? { timestamp: new Date(LATEST_MS - random.int(60 * DAY_MS)).toISOString() } : {}
  const what = isPage
    ? { event: 'pageview', url: `https://example.com/page/${random.int(200)}?utm_source=s${random.int(4)}` }
    : { event: random.pick(EVENTS), metadata: { plan: random.int(3) } }
  return { id: app.idOf(counter), ...what, userId: `person-${personOf(counter)}`, userAgent: random.pick(AGENTS), ...late }
}

function invalidEvent(id: string, random: Random): object {
  return random.pick([
    { id, event: 'pageview', userId: 'nobody' },
    { id, event: '', userId: 'nobody' },
    { id, event: 'from the future', timestamp: '2226-01-01T00:00:00Z' },
    { id, event: 'unknown field', colour: 'red' },
  ])
}
