// What one transaction adds to, and takes from, the numbers of the web read model: only sums and counted sets, so every
// contribution has an exact inverse and the order of contributions does not matter. A visitor stays in a set while at least
// one contribution that is not taken back supports it.
import type { Knex } from 'knex'
import type { EventCollected } from '../../events/eventCollected.ts'
import type { Identity } from '../visitors/visitors.ts'

/** One event, whatever visit it belongs to. */
export interface EventPart {
  /** Epoch milliseconds. */
  readonly atMs: number
  readonly bot: boolean
  /** Ordinal; -1 for an event without identity. */
  readonly visitor: number
  readonly pageview: boolean
  /** Refs of its event dimensions and declared metadata dimensions. */
  readonly refs: readonly number[]
}

/** What a visit's events of one local day and one visitor add to the values of the visit's own dimensions. */
export interface VisitEventsPart {
  readonly day: number
  readonly bot: boolean
  readonly visitor: number
  readonly events: number
  readonly pageviews: number
  /** Refs of the visit's dimensions: entry and exit page, arrival. */
  readonly refs: readonly number[]
}

/** A visit as it counts where it starts. */
export interface VisitPart {
  readonly startMs: number
  readonly bot: boolean
  readonly pageviews: number
  readonly bounce: boolean
  readonly durationMs: number
  /** Every ref that any of its carrying events or the visit itself has, once each: the visit counts under each. */
  readonly refs: readonly number[]
}

/**
 * A value of a dimension that folding needs a ref for. Which values are wanted, and in what order, may depend on the log
 * alone and never on how it is cut into stretches: every value that an event says is wanted for it, also an entry or exit
 * page that a visit may turn out not to have.
 */
export interface WantedValue {
  readonly appId: string
  readonly dimension: string
  readonly value: string
  /**
   * The local day of the event that says the value, also where it then counts for events of another day (an entry page of a
   * visit over midnight): the bound on values is one per app, dimension and day on which they are said.
   */
  readonly day: number
}

export interface WebTally {
  /** Makes visitors and values known, reading what the tables hold. New ones are taken in in the order given. */
  prepare(db: Knex, build: number, events: readonly { readonly appId: string; readonly data: EventCollected }[], values: readonly WantedValue[]): Promise<void>
  /** The ordinal an event counts for, -1 without identity; takes new identities and links in, in log order. */
  visitor(appId: string, data: EventCollected): number
  /** What a correction or retraction made of an identity's link: to this user, or to none. Both prepared. */
  relink(appId: string, identity: Identity, userId: string | undefined): void
  /**
   * Small numbers, nearly dense per app over all dimensions; that of "(other)" where values of this day came before in such
   * numbers that it is beyond LIMITS.valuesPerDay. The value was prepared for this day in this stretch; a caller that needs
   * the ref later keeps it.
   */
  ref(appId: string, dimension: string, value: string, day: number): number
  event(appId: string, part: EventPart, sign: 1 | -1): void
  visitEvents(appId: string, part: VisitEventsPart, sign: 1 | -1): void
  visit(appId: string, part: VisitPart, sign: 1 | -1): void
  write(trx: Knex.Transaction, build: number): Promise<void>
}
