// What one fact does to the row of a restated day, and how rows of a stretch are added to those that the tables hold. Only
// sums, so the rows do not depend on how the log was cut into stretches.
import type { Knex } from 'knex'
import { replaceRows, type Value } from '../storage/bulkRows.ts'
import { bytesOf } from '../storage/rows.ts'
import { type RowSet, selectAmong } from '../storage/rowSets.ts'

/** Why a closed day changed; the index is stored. */
export const CAUSES = ['late', 'corrected', 'retracted'] as const
export type Cause = (typeof CAUSES)[number]

export interface Restatement {
  readonly app: Buffer
  /** Days since 1970-01-01, local to the app. */
  readonly day: number
  readonly reached: number
  readonly cause: Cause
  eventsAdded: number
  eventsTaken: number
  pageviewsAdded: number
  pageviewsTaken: number
  firstPosition: number
  lastPosition: number
}

export interface RestatementRow {
  readonly app_id: Uint8Array | ArrayBuffer
  readonly day: number
  readonly reached: number
  readonly cause: number
  readonly events_added: number | string
  readonly events_taken: number | string
  readonly pageviews_added: number | string
  readonly pageviews_taken: number | string
  readonly first_position: number | string
  readonly last_position: number | string
}

const NUMBERS = ['events_added', 'events_taken', 'pageviews_added', 'pageviews_taken', 'first_position', 'last_position']
const COLUMNS = ['build', 'app_id', 'day', 'reached', 'cause', ...NUMBERS]

export function noChange(app: Buffer, day: number, reached: number, cause: Cause): Restatement {
  const nothing = { eventsAdded: 0, eventsTaken: 0, pageviewsAdded: 0, pageviewsTaken: 0 }
  return { app, day, reached, cause, ...nothing, firstPosition: Infinity, lastPosition: 0 }
}

export function addFact(row: Restatement, position: number, sign: 1 | -1, pageview: boolean): void {
  if (sign > 0) row.eventsAdded++
  else row.eventsTaken++
  if (pageview && sign > 0) row.pageviewsAdded++
  else if (pageview) row.pageviewsTaken++
  row.firstPosition = Math.min(row.firstPosition, position)
  row.lastPosition = Math.max(row.lastPosition, position)
}

export function restatementOf(row: RestatementRow): Restatement {
  return {
    ...{ app: bytesOf(row.app_id), day: row.day, reached: row.reached, cause: CAUSES[row.cause]! },
    ...{ eventsAdded: Number(row.events_added), eventsTaken: Number(row.events_taken) },
    ...{ pageviewsAdded: Number(row.pageviews_added), pageviewsTaken: Number(row.pageviews_taken) },
    ...{ firstPosition: Number(row.first_position), lastPosition: Number(row.last_position) },
  }
}

export async function addToRows(trx: Knex.Transaction, build: number, added: readonly Restatement[]): Promise<void> {
  const stored = new Map<string, Restatement>()
  for (const row of await selectAmong<RestatementRow>(trx, 'restatements', build, rowSets(added), COLUMNS)) stored.set(keyOf(restatementOf(row)), restatementOf(row))
  await replaceRows(trx, 'restatements', COLUMNS, added.map((row) => columnsOf(build, summed(row, stored.get(keyOf(row))))))
}

function keyOf({ app, day, reached, cause }: Restatement): string {
  return `${app.toString('latin1')}${day}/${reached}/${cause}`
}

function summed(row: Restatement, more: Restatement | undefined): Restatement {
  if (more === undefined) return row
  return {
    ...row,
    ...{ eventsAdded: row.eventsAdded + more.eventsAdded, eventsTaken: row.eventsTaken + more.eventsTaken },
    ...{ pageviewsAdded: row.pageviewsAdded + more.pageviewsAdded, pageviewsTaken: row.pageviewsTaken + more.pageviewsTaken },
    ...{ firstPosition: Math.min(row.firstPosition, more.firstPosition), lastPosition: Math.max(row.lastPosition, more.lastPosition) },
  }
}

function columnsOf(build: number, row: Restatement): Value[] {
  const { eventsAdded, eventsTaken, pageviewsAdded, pageviewsTaken, firstPosition, lastPosition } = row
  return [build, row.app, row.day, row.reached, CAUSES.indexOf(row.cause), eventsAdded, eventsTaken, pageviewsAdded, pageviewsTaken, firstPosition, lastPosition]
}

function* rowSets(rows: readonly Restatement[]): Generator<RowSet> {
  const sets = new Map<string, { readonly app: Buffer; readonly day: number; readonly reached: number[] }>()
  for (const { app, day, reached } of rows) {
    const key = `${app.toString('latin1')}${day}`
    const set = sets.get(key)
    if (set === undefined) sets.set(key, { app, day, reached: [reached] })
    else if (!set.reached.includes(reached)) set.reached.push(reached)
  }
  for (const { app, day, reached } of sets.values()) yield { app, where: [['day', day]], column: 'reached', values: reached }
}
