// The part of a quarter of an hour that a bound cuts off, counted from the log: just that quarter's events, by the positions
// that its row holds, however late or scattered they arrived.
import { decode } from '../events/catalogue.ts'
import { contentOf } from '../events/content.ts'
import type { StoredEvent } from '../events/eventLog.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import { deviceOf } from '../projections/eventSummary/inverse.ts'
import type { PositionRuns } from '../projections/sets/positionRuns.ts'
import { identityKey, identityOf } from '../projections/visitors/visitors.ts'
import type { Range, Snapshot } from './query.ts'
import type { Tally } from './summaryTally.ts'

export async function tallyFromLog(
  snapshot: Snapshot,
  sum: Tally,
  positions: readonly PositionRuns[],
  name: string | undefined,
  { fromMs, toMs }: Pick<Range, 'fromMs' | 'toMs'>,
): Promise<void> {
  const identities = new Map<string, Buffer>()
  for (const event of await eventsAt(snapshot, positions)) {
    const content = contentOf(decode(event))
    if (content === undefined || content.occurredAt < fromMs || content.occurredAt >= toMs) continue
    const { data } = content
    if (name !== undefined && data.event !== name) continue
    sum.counts[deviceOf(data)]!++
    const identity = identityOf(data)
    if (identity === undefined) continue
    const key = identityKey(identity.kind, identity.id)
    identities.set(key.toString('latin1'), key)
  }
  await addOrdinals(snapshot, sum, [...identities.values()])
}

type Run = readonly [first: number, last: number]

/** Reading over this many events costs less than another statement. */
const GAP = 200
const READS_AT_ONCE = 4

async function eventsAt({ log, appId }: Snapshot, positions: readonly PositionRuns[]): Promise<StoredEvent[]> {
  const runs = positions.flatMap((some) => [...some.runs()]).sort(([left], [right]) => left - right)
  const stretches = stretchesOf(runs)
  const found: StoredEvent[] = []
  for (let at = 0; at < stretches.length; at += READS_AT_ONCE) {
    const some = stretches.slice(at, at + READS_AT_ONCE)
    const pages = await Promise.all(some.map(([first, last]) => log.readApp(appId, first - 1, last - first + 1)))
    for (const page of pages) found.push(...page)
  }
  return within(found, runs)
}

/** The log between the first and the last position of runs that lie close together. */
function stretchesOf(runs: readonly Run[]): Run[] {
  const stretches: Run[] = []
  for (let [first, last] of runs) {
    const before = stretches.at(-1)
    if (before !== undefined && first - before[1] <= GAP && last - before[0] < LIMITS.readPageEvents) {
      stretches.pop()
      first = before[0]
      last = Math.max(before[1], last)
    }
    for (; last - first >= LIMITS.readPageEvents; first += LIMITS.readPageEvents) stretches.push([first, first + LIMITS.readPageEvents - 1])
    stretches.push([first, last])
  }
  return stretches
}

/** Other apps' events lie between, so a page may reach beyond its stretch; what it shares with the next counts once. */
function within(events: readonly StoredEvent[], runs: readonly Run[]): StoredEvent[] {
  const found: StoredEvent[] = []
  let run = 0
  let last = 0
  for (const event of events) {
    if (event.position <= last) continue
    last = event.position
    while (run < runs.length && runs[run]![1] < event.position) run++
    if (run < runs.length && runs[run]![0] <= event.position) found.push(event)
  }
  return found
}

async function addOrdinals({ trx, build, appId }: Snapshot, sum: Tally, keys: readonly Buffer[]): Promise<void> {
  for (let at = 0; at < keys.length; at += LIMITS.rowsPerStatement) {
    const rows = await trx('event_summary_visitors')
      .where({ build, app_id: uuidToBytes(appId) })
      .whereIn('identity', keys.slice(at, at + LIMITS.rowsPerStatement))
      .select<{ identity: Uint8Array | ArrayBuffer; ordinal: number }[]>('identity', 'ordinal')
    if (rows.length !== Math.min(LIMITS.rowsPerStatement, keys.length - at)) throw new Error('a counted visitor has no ordinal')
    for (const { ordinal } of rows) sum.visitors.add(ordinal)
  }
}

