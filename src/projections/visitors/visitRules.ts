// What makes a visit (METRICS, Visit), said once for everything that cuts visits. None of it depends on the order in which
// events arrive: a client's carrying events, in order of time, are cut where more than 30 minutes pass between two of them,
// and what remains is a visit from its first interactive event on, if it has one.
import type { EventCollected } from '../../events/eventCollected.ts'
import { userAgent } from '../enrichment/userAgents.ts'

/**
 * Order of events within a visit: by time, and of one instant by the position at which they were collected.
 * Entry page: `page` of the visit's first pageview; exit page: of its last. Arrival (referrer, source, channel, UTM): of its
 * first interactive event that has a url; without one the visit has none.
 * Bounce: exactly one pageview, and no other interactive event. Duration: from the first interactive event to the last
 * carrying one. A visit counts in the range, and on the day, in which it starts. Bounce rate and views per visit range over
 * visits with a pageview, duration over all visits.
 */
export const VISIT_GAP_MS = 30 * 60_000

/**
 * Interactive and engagement events carry a visit: they keep it open and count for its duration. Only interactive ones
 * start it, so engagement before the first of them belongs to none. Passive events (not interactive, not engagement)
 * belong to no visit at all.
 */
export type Role = 'interactive' | 'engagement' | 'passive'

export function roleOf(data: EventCollected): Role {
  if (data.event === 'engagement') return 'engagement'
  return data.interactive === false ? 'passive' : 'interactive'
}

export function isPageview(data: EventCollected): boolean {
  return data.event === 'pageview'
}

export function isBot(data: EventCollected): boolean {
  return userAgent(data.userAgent).bot
}

/** Whose visits an event belongs to. */
export interface Client {
  /** Equal for events of one client; bots and people never share one, so that leaving bots out cuts no visit. */
  readonly key: string
  /** True for an explicit `sessionId`: all its events are one visit, whatever passes between them. */
  readonly explicit: boolean
}

/** `sessionId`, else `anonymousId`, else cookieless id, else `userId`; undefined for an event with none: it is in no visit. */
export function clientOf(data: EventCollected, isOfBot = isBot(data)): Client | undefined {
  const bot = isOfBot ? '!' : ''
  if (data.sessionId !== undefined) return { key: `${bot}s:${data.sessionId}`, explicit: true }
  if (data.anonymousId !== undefined) return { key: `${bot}a:${data.anonymousId}`, explicit: false }
  if (data.cookieless !== undefined) return { key: `${bot}c:${data.cookieless}`, explicit: false }
  return data.userId === undefined ? undefined : { key: `${bot}u:${data.userId}`, explicit: false }
}
