// All visits of an app, cut from its contents in force as visitRules.ts says: the carrying events of each client in order of
// time, apart where more than 30 minutes pass, from the first interactive event on.
import { VISIT_GAP_MS } from '../../projections/visitors/visitRules.ts'
import { NOBODY } from './identities.ts'
import { BOT, ENGAGEMENT, IN_FORCE, INTERACTIVE, PAGEVIEW, type Rows } from './rows.ts'

const CARRYING = INTERACTIVE | ENGAGEMENT

export interface Visit {
  readonly startMs: number
  readonly bot: boolean
  readonly pageviews: number
  readonly bounce: boolean
  readonly durationMs: number
}

export class Visits {
  count = 0

  private constructor(
    private readonly rows: Rows,
    /** Rows by client, then time. A visit's carrying events are neighbours. */
    readonly order: Uint32Array,
    /** By visit: its events are order[from] … order[to - 1]. */
    readonly from: Uint32Array,
    readonly to: Uint32Array,
  ) {}

  static of(rows: Rows): Visits {
    const { order, ends } = byClient(rows)
    const visits = new Visits(rows, order, new Uint32Array(order.length), new Uint32Array(order.length))
    let first = 0
    for (let client = 0; client < ends.length; client++) {
      const end = ends[client]!
      if (end > first) visits.cut(first, end, rows.identities.isExplicit(client))
      first = end
    }
    return visits
  }

  startMs(visit: number): number {
    return this.rows.occurredAt[this.order[this.from[visit]!]!]!
  }

  visit(visit: number): Visit {
    const { occurredAt, flags } = this.rows
    const [from, to] = [this.from[visit]!, this.to[visit]!]
    const startMs = this.startMs(visit)
    let pageviews = 0
    let interactive = 0
    for (let at = from; at < to; at++) {
      const flag = flags[this.order[at]!]!
      if ((flag & PAGEVIEW) !== 0) pageviews += 1
      if ((flag & INTERACTIVE) !== 0) interactive += 1
    }
    const bot = (flags[this.order[from]!]! & BOT) !== 0
    return { startMs, bot, pageviews, bounce: pageviews === 1 && interactive === 1, durationMs: occurredAt[this.order[to - 1]!]! - startMs }
  }

  private cut(first: number, end: number, explicit: boolean): void {
    const { occurredAt } = this.rows
    let from = first
    for (let at = first + 1; at < end; at++) {
      if (explicit || occurredAt[this.order[at]!]! - occurredAt[this.order[at - 1]!]! <= VISIT_GAP_MS) continue
      this.add(from, at)
      from = at
    }
    this.add(from, end)
  }

  private add(from: number, to: number): void {
    let start = from
    while (start < to && (this.rows.flags[this.order[start]!]! & INTERACTIVE) === 0) start += 1
    if (start === to) return
    this.from[this.count] = start
    this.to[this.count] = to
    this.count += 1
  }
}

/** Rows that carry visits, by client and then by time and position; and by client where its rows end. */
function byClient(rows: Rows): { order: Uint32Array; ends: Uint32Array } {
  const { client, flags, occurredAt } = rows
  const carries = (row: number): boolean => (flags[row]! & IN_FORCE) !== 0 && (flags[row]! & CARRYING) !== 0 && client[row] !== NOBODY
  const ends = new Uint32Array(rows.identities.clients)
  let count = 0
  for (let row = 0; row < rows.count; row++) {
    if (!carries(row)) continue
    ends[client[row]!]! += 1
    count += 1
  }
  for (let at = 0, sum = 0; at < ends.length; at++) {
    const some = ends[at]!
    ends[at] = sum
    sum += some
  }
  const order = new Uint32Array(count)
  for (let row = 0; row < rows.count; row++) if (carries(row)) order[ends[client[row]!]!++] = row
  // Now each start has become its end. Most clients arrived in order of time; rows are in order of position.
  for (let at = 0, first = 0; at < ends.length; at++) {
    const end = ends[at]!
    for (let next = first + 1; next < end; next++) {
      if (occurredAt[order[next]!]! >= occurredAt[order[next - 1]!]!) continue
      order.subarray(first, end).sort((left, right) => occurredAt[left]! - occurredAt[right]! || left - right)
      break
    }
    first = end
  }
  return { order, ends }
}
