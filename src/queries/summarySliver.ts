// The part of a quarter of an hour that a bound cuts off, counted from the log: just that quarter's events, by the positions
// that its row holds, however late or scattered they arrived.
import { decodeData } from '../events/catalogue.ts'
import type { EventCollected } from '../events/eventCollected.ts'
import type { StoredEvent } from '../events/eventLog.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import type { PositionRuns } from '../projections/positionRuns.ts'
import { namedDevice, userAgent } from '../projections/userAgents.ts'
import { identityKey, identityOf } from '../projections/visitors.ts'
import type { Range, Snapshot } from './query.ts'
import type { Tally } from './summaryTally.ts'

export async function tallyFromLog(
  snapshot: Snapshot,
  sum: Tally,
  positions: PositionRuns,
  name: string | undefined,
  { fromMs, toMs }: Pick<Range, 'fromMs' | 'toMs'>,
): Promise<void> {
  const identities = new Map<string, Buffer>()
  for await (const event of eventsAt(snapshot, positions)) {
    if (event.occurredAt < fromMs || event.occurredAt >= toMs) continue
    const data = decodeData(event) as EventCollected | null
    if (data === null || (name !== undefined && data.event !== name)) continue
    sum.counts[data.device === undefined ? userAgent(data.userAgent).device : namedDevice(data.device)]!++
    const identity = identityOf(data)
    if (identity === undefined) continue
    const key = identityKey(identity.kind, identity.id)
    identities.set(key.toString('latin1'), key)
  }
  await addOrdinals(snapshot, sum, [...identities.values()])
}

async function* eventsAt({ log, appId }: Snapshot, positions: PositionRuns): AsyncGenerator<StoredEvent> {
  let left = positions.size
  let after = 0
  for (const [first, last] of positions.runs()) {
    if (last <= after) continue
    after = Math.max(after, first - 1)
    while (after < last) {
      // The app's events of one quarter of an hour mostly follow each other, so a page reaches over many runs.
      const page = await log.readApp(appId, after, Math.min(left, LIMITS.readPageEvents))
      if (page.length === 0) return
      after = page.at(-1)!.position
      for (const event of within(page, positions)) {
        left--
        yield event
      }
    }
  }
}

function* within(page: readonly StoredEvent[], positions: PositionRuns): Generator<StoredEvent> {
  const runs = positions.runs()
  let run = runs.next()
  for (const event of page) {
    while (run.done !== true && run.value[1] < event.position) run = runs.next()
    if (run.done === true) return
    if (run.value[0] <= event.position) yield event
  }
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

