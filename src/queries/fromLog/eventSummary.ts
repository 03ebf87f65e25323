// The summary of an event, or of all, counted from rows.
import { type Device, DEVICES } from '../../projections/enrichment/userAgents.ts'
import type { EventSummary } from '../eventSummary.ts'
import type { Gathered } from './gathered.ts'
import { peopleIn } from './groups.ts'

export function eventSummaryOf(gathered: Gathered, event: string | undefined): EventSummary {
  const { rows, inRange, wanted, passes } = gathered
  const counts = DEVICES.map(() => 0)
  let count = 0
  for (let row = 0; row < rows.count; row++) {
    if (!wanted(row) || !inRange(row) || !passes(row)) continue
    counts[rows.device![row]!]! += 1
    count += 1
  }
  const people = peopleIn(gathered, (row) => wanted(row) && inRange(row) && passes(row))
  return {
    event: event ?? null,
    count,
    uniqueUsers: people.size,
    deviceData: Object.fromEntries(DEVICES.map((device, at) => [device, counts[at]!])) as Record<Device, number>,
  }
}
