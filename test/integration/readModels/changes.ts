// Histories in which events are corrected and retracted after they were collected: written to the log as the commands do, and
// beside that as the naive list of what counts, which shares no code with what it checks.
import fc from 'fast-check'
import type { EventCollected } from '../../../src/events/eventCollected.ts'
import type { NewEvent } from '../../../src/events/eventLog.ts'
import { localDays } from '../../../src/kernel/calendar.ts'
import { uuidv5, uuidv7 } from '../../../src/kernel/ids.ts'
import type { Collected, Driver } from './driver.ts'
import { AGENTS } from './reference.ts'

export const MINUTE = 60_000
export const NAMES = ['pageview', 'click']

// Few people, moments and events, so that changes meet: the one event that links two ids goes, or the last of a visitor's day.
const identity = fc.record(
  { userId: fc.constantFrom<string>('ann', 'bob'), anonymousId: fc.constantFrom<string>('x', 'y', 'ann'), cookieless: fc.constantFrom('c'.repeat(22), 'd'.repeat(22)) },
  { requiredKeys: [] },
)
const said = fc.record({
  minutes: fc.oneof({ weight: 5, arbitrary: fc.constantFrom(0, 0, 7, 20, 1_450, 1_470, -1_450) }, { weight: 1, arbitrary: fc.integer({ min: -3_000, max: 3_000 }) }),
  event: fc.constantFrom(...NAMES),
  agent: fc.option(fc.constantFrom(...AGENTS), { nil: undefined, freq: 2 }),
  device: fc.option(fc.constantFrom('tablet', 'tv'), { nil: undefined, freq: 2 }),
  ip: fc.option(fc.constantFrom('203.0.113.0', '198.51.100.0'), { nil: undefined }),
  identity,
})
const app = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) })
const id = fc.nat(11)
export const change = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('collect' as const), app, id, said }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('correct' as const), app, id, said }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('keep who' as const), app, id, said }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('retract' as const), app, id, said }) },
)
export type Change = typeof change extends fc.Arbitrary<infer T> ? T : never

export interface Place {
  readonly appId: string
  readonly timezone: string
  readonly around: number
}

interface Known {
  readonly position: number
  contentPosition: number
  /** Undefined once it was retracted. */
  counts: Collected | undefined
}

const IDS = new Set(['userId', 'anonymousId', 'cookieless'])

/** Writes changes to the log; knows what counts. */
export class History {
  private readonly known = new Map<string, Known>()
  private waiting: Collected[] = []
  private readonly latest = new Map<string, number>()
  /** What happened to closed days: events and pageviews, added and taken, by app, day, reached day and cause (0 late, 1 corrected, 2 retracted). */
  readonly restated = new Map<string, [eventsAdded: number, eventsTaken: number, pageviewsAdded: number, pageviewsTaken: number]>()

  constructor(
    private readonly driver: Driver,
    private readonly apps: readonly Place[],
    /** What events say besides. */
    private readonly more: (change: Change) => Partial<EventCollected> = () => ({}),
  ) {}

  async write(changes: readonly Change[]): Promise<void> {
    for (const change of changes) {
      const { appId, around } = this.apps[change.app]!
      const id = uuidv5(appId, String(change.id))
      const { minutes, event, agent, device, ip, identity: who } = change.said
      const data = { event, ...who, ...(agent === undefined ? {} : { userAgent: agent.text }), ...(device === undefined ? {} : { device }), ...(ip === undefined ? {} : { ip }), ...this.more(change) }
      const collected: Collected = { id, appId, at: around + minutes * MINUTE, data }
      if (change.kind === 'collect') this.waiting.push(collected)
      else await this.change(change.kind, collected)
    }
    await this.flush()
  }

  /** What counts of an app, in the order in which it was collected. */
  counting(appId: string): Collected[] {
    return [...this.known.values()].sort((left, right) => left.position - right.position).flatMap(({ counts }) => (counts?.appId === appId ? [counts] : []))
  }

  private async flush(): Promise<void> {
    const events = this.waiting
    this.waiting = []
    await this.driver.collect(events)
    for (const event of events) {
      if (this.known.has(event.id)) continue
      const { position } = (await this.driver.log.find(event.appId, event.id))!
      this.known.set(event.id, { position, contentPosition: position, counts: event })
      this.restate(event, 0, 0)
      this.latest.set(event.appId, Math.max(event.at, this.latest.get(event.appId) ?? 0))
    }
  }

  /** Nothing here is recorded before it happens, so the log stands where its latest event does. */
  private restate({ appId, at, data }: Collected, cause: 0 | 1 | 2, taken: 0 | 1): void {
    const zone = localDays(this.apps.find((app) => app.appId === appId)!.timezone)
    const [day, reached] = [zone.at(at).day, zone.at(this.latest.get(appId) ?? 0).day]
    if (day >= reached) return
    const key = `${appId} ${day} ${reached} ${cause}`
    const numbers = this.restated.get(key) ?? [0, 0, 0, 0]
    this.restated.set(key, numbers)
    numbers[taken]++
    if (data.event === 'pageview') numbers[taken === 0 ? 2 : 3]++
  }

  private async change(kind: Exclude<Change['kind'], 'collect'>, now: Collected): Promise<void> {
    await this.flush()
    const known = this.known.get(now.id)
    if (known?.counts === undefined) return
    const who = (of: EventCollected): Partial<EventCollected> => Object.fromEntries(Object.entries(of).filter(([field]) => IDS.has(field)))
    const what = Object.fromEntries(Object.entries(now.data).filter(([field]) => !IDS.has(field))) as unknown as EventCollected
    const data: EventCollected = kind === 'keep who' ? { ...what, ...who(known.counts.data) } : now.data
    const { position, contentPosition } = known
    const base = { eventId: now.id, position, contentPosition, reason: 'because' }
    const retracts = kind === 'retract'
    const event: NewEvent = {
      ...{ eventId: uuidv7(), appId: now.appId, type: retracts ? 'EventRetracted' : 'EventCorrected', schemaVersion: 1, occurredAt: Date.now(), meta: null },
      data: JSON.stringify(retracts ? base : { ...base, occurredAt: now.at, data }),
      stream: `correction:${now.id}`,
    }
    await this.driver.append([event])
    known.contentPosition = (await this.driver.log.find(now.appId, event.eventId))!.position
    this.restate(known.counts, retracts ? 2 : 1, 1)
    known.counts = retracts ? undefined : { ...now, data }
    if (known.counts !== undefined) this.restate(known.counts, 1, 0)
  }
}
