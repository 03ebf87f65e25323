// A month of made-up traffic, straight into a log: what replay and queries are measured on. The same seed makes the same
// events. Visits have five events on average, some minutes apart, as those that peers were measured with. With `site`, what web
// analytics break down besides: 500 pages, sources, countries, metadata.
import type { EventCollected } from '../src/events/eventCollected.ts'
import type { EventLog, NewEvent } from '../src/events/eventLog.ts'
import { uuidv5, uuidv7 } from '../src/kernel/ids.ts'

const DAY_MS = 86_400_000
const NAMES = ['pageview', 'click', 'scroll', 'signup', 'login', 'search', 'add_to_cart', 'purchase', 'video_play', 'share']
const AGENTS = Array.from({ length: 60 }, (_, minor) =>
  minor % 3 === 0
    ? `Mozilla/5.0 (iPhone; CPU iPhone OS 17_${minor} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.${minor} Mobile/15E148 Safari/604.1`
    : `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${70 + minor}.0.0.0 Safari/537.36`,
)

const REFERRERS = ['https://www.google.com/', 'https://news.ycombinator.com/', 'https://duckduckgo.com/', 'https://t.co/x', 'https://www.bing.com/', ...Array.from({ length: 40 }, (_, at) => `https://blog-${at}.example.net/post`)]
const PLANS = ['free', 'team', 'business']
const PAGES = 2_000
const SITE_PAGES = 500
const VISIT_EVENTS = 5
/** Between two events of a visit, on average. */
const VISIT_PACE_MS = 3 * 60_000

export interface Seeded {
  readonly appId: string
  readonly fromMs: number
  readonly toMs: number
}

/** `events` events of `visitors` visitors over 30 days, or so many, in time order with some lateness. */
export async function seedMonth(log: EventLog, events: number, visitors: number, { days = 30, site = false, appId = uuidv7() } = {}): Promise<Seeded> {
  const partition = log.partitionOf(appId)
  const fromMs = Date.UTC(2026, 9, 1)
  const toMs = fromMs + days * DAY_MS
  const random = generator(42)
  const nextVisitor = visitsOf(visitors, Math.max(1, Math.round((events * VISIT_PACE_MS) / (toMs - fromMs))), random)
  for (let start = 0; start < events; start += 1_000) {
    const batch: NewEvent[] = []
    for (let index = start; index < Math.min(start + 1_000, events); index++) {
      const late = random() < 0.02 ? random() * DAY_MS : random() * 60_000
      const at = Math.max(fromMs, Math.floor(fromMs + (index / events) * (toMs - fromMs) - late))
      const visitor = nextVisitor()
      const data: EventCollected = {
        event: NAMES[Math.floor(NAMES.length * random() ** 2)]!,
        url: `https://example.com/articles/${Math.floor(random() * (site ? SITE_PAGES : PAGES))}`,
        ...(visitor % 4 === 0 ? { userId: `user-${visitor}` } : {}),
        anonymousId: `anonymous-${visitor}`,
        userAgent: AGENTS[visitor % AGENTS.length]!,
        ...(site ? siteFacts(visitor, random) : {}),
      }
      batch.push({ eventId: uuidv5(appId, String(index)), appId, type: 'EventCollected', schemaVersion: 1, occurredAt: at, data: JSON.stringify(data), meta: null })
    }
    const pack = { deliveryId: uuidv7(), partition, receivedAt: Date.now(), events: batch, rejected: [] }
    await log.append({ partition, packs: [pack] })
  }
  return { appId, fromMs, toMs }
}

/** Whose the next event is, where so many visits go on at once. */
function visitsOf(visitors: number, atOnce: number, random: () => number): () => number {
  const visits = Array.from({ length: atOnce }, () => ({ visitor: 0, left: 0 }))
  return () => {
    const visit = visits[Math.floor(atOnce * random())]!
    if (visit.left === 0) {
      // Most visits are of few visitors, as everywhere.
      visit.visitor = Math.floor(visitors * random() ** 2)
      visit.left = 1 + Math.floor(random() * (2 * VISIT_EVENTS - 1))
    }
    visit.left--
    return visit.visitor
  }
}

function siteFacts(visitor: number, random: () => number): Partial<EventCollected> {
  return {
    ip: `${24 + (visitor % 60)}.${(visitor >> 8) & 255}.${visitor & 255}.0`,
    ...(random() < 0.3 ? { referrer: REFERRERS[Math.floor(REFERRERS.length * random() ** 2)]! } : {}),
    metadata: { plan: PLANS[visitor % PLANS.length]! },
  }
}

function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
