// Reads rows of visits into timelines: the runs that events of a page can touch, of all clients at once, in few statements
// that go by the primary key however much history a client has.
import type { Knex } from 'knex'
import { DAY_MS } from '../../kernel/calendar.ts'
import { bytesOf } from '../storage/rows.ts'
import { chunks, selectAmong } from '../storage/rowSets.ts'
import { positionsIn, uniteRuns } from '../sets/sortedNumbers.ts'
import { VISIT_GAP_MS } from '../visitors/visitRules.ts'
import type { Timeline, TimelineApp } from './timeline.ts'
import { readRuns, readVisit } from './visitCodec.ts'
import type { Visit } from './visit.ts'
import type { Memory } from './visitsMemory.ts'

/** An event this much before the latest of its app is late: what comes after it is read only near it. */
const LATE_MS = DAY_MS
/** How far around a late event runs are read: others often come with it. */
const AROUND_MS = DAY_MS / 4

type Bytes = Uint8Array | ArrayBuffer

export interface VisitRow {
  readonly client: Bytes
  readonly start_at: number | string
  readonly end_at: number | string
  readonly content: Bytes
}

interface Window {
  readonly timeline: Timeline
  readonly from: number
  readonly to: number
}

/** Gathers what events need, then reads it. */
export class VisitReading {
  private readonly tails = new Map<Timeline, number>()
  private readonly windows = new Map<Timeline, Window[]>()

  want(app: TimelineApp, timeline: Timeline, at: number): void {
    if (timeline.covers(at)) return
    if (timeline.explicit) this.tails.set(timeline, -Infinity)
    else if (at >= app.latest - LATE_MS) this.tails.set(timeline, Math.min(this.tails.get(timeline) ?? Infinity, at - VISIT_GAP_MS))
    else {
      const windows = this.windows.get(timeline)
      if (windows?.some(({ from, to }) => from <= at - VISIT_GAP_MS && at + VISIT_GAP_MS <= to)) return
      const window = { timeline, from: at - VISIT_GAP_MS - AROUND_MS, to: at + VISIT_GAP_MS + AROUND_MS }
      if (windows === undefined) this.windows.set(timeline, [window])
      else windows.push(window)
    }
  }

  async read(db: Knex, build: number, memory: Memory): Promise<void> {
    const windows = [...this.windows.values()].flat()
    for (const [timeline, from] of this.tails) windows.push({ timeline, from, to: Infinity })
    const byApp = new Map<TimelineApp, Window[]>()
    for (const window of windows) {
      const { app } = window.timeline
      const some = byApp.get(app)
      if (some === undefined) byApp.set(app, [window])
      else some.push(window)
    }
    for (const [app, wanted] of byApp) for (const some of alike(wanted)) await readWindows(db, build, memory, app, some)
    this.tails.clear()
    this.windows.clear()
  }
}

/** For one statement each: windows that reach equally far, and of late events those that begin within a day. */
function* alike(windows: readonly Window[]): Generator<readonly Window[]> {
  const groups = new Map<string, Window[]>()
  for (const window of windows) {
    const group = `${window.to === Infinity} ${window.to === Infinity ? Number.isFinite(window.from) : Math.floor(window.from / DAY_MS)}`
    const some = groups.get(group)
    if (some === undefined) groups.set(group, [window])
    else some.push(window)
  }
  for (const group of groups.values()) yield* chunks(group)
}

/** As a list of clients and one stretch of time around all windows: ranges put together with OR take MariaDB time by the square of their number. */
async function readWindows(db: Knex, build: number, memory: Memory, app: TimelineApp, windows: readonly Window[]): Promise<void> {
  const byClient = new Map<string, Window[]>()
  let [earliest, latest] = [Infinity, -Infinity]
  for (const window of windows) {
    const client = window.timeline.key.toString('hex')
    const some = byClient.get(client)
    if (some === undefined) byClient.set(client, [window])
    else some.push(window)
    earliest = Math.min(earliest, window.from)
    latest = Math.max(latest, window.to)
  }
  const clients = [...byClient.keys()].map((client) => `X'${client}'`).join(',')
  const starts = Number.isFinite(earliest) ? ` AND start_at >= ${earliest - (app.longestMs ?? 0)}` : ''
  const ends = Number.isFinite(latest) ? ` AND start_at <= ${latest}` : ''
  const rows = await db('web_visits')
    .whereRaw(`build = ${build} AND app_id = X'${app.key.toString('hex')}' AND client IN (${clients})${starts}${ends}`)
    .select<VisitRow[]>('client', 'start_at', 'end_at', 'content')
  for (const row of rows) {
    const wanted = byClient.get(bytesOf(row.client).toString('hex'))!
    if (!wanted.some(({ from, to }) => Number(row.end_at) >= from && Number(row.start_at) <= to)) continue
    wanted[0]!.timeline.restore(visitOf(row))
    memory.kept++
  }
  for (const { timeline, from, to } of windows) timeline.cover(from, to)
}

export function visitOf(row: VisitRow): Visit {
  return readVisit(Number(row.start_at), Number(row.end_at), bytesOf(row.content))
}

/** Where the contents of a visit stand, those that were put away included. */
export async function positionsOf(db: Knex, build: number, app: Buffer, client: Buffer, visit: Visit): Promise<number[]> {
  let { runs } = visit
  for (const piece of visit.newPieces) runs = uniteRuns(runs, piece)
  const stored = visit.pieces.filter((first) => !visit.newPieces.some((piece) => piece[0] === first))
  const set = { app, where: [['client', client]] as const, column: 'first_position', values: stored }
  for (const { positions } of await selectAmong<{ positions: Bytes }>(db, 'web_visit_positions', build, [set], ['positions'])) {
    runs = uniteRuns(runs, readRuns(bytesOf(positions)))
  }
  return [...positionsIn(runs)]
}
