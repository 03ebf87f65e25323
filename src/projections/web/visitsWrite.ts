// Writes what a stretch of events did to visits: tells the tally the difference, and puts whole rows, so that rows are the
// same however the log was cut into stretches.
import type { Knex } from 'knex'
import { replaceRows, type Value } from '../storage/bulkRows.ts'
import { deleteAmong, type RowSet } from '../storage/rowSets.ts'
import { runsBytes, visitBytes } from './visitCodec.ts'
import type { TimelineApp } from './timeline.ts'
import { contributionOf, tell } from './visitParts.ts'
import { type State, trim, visitorsOf } from './visitsMemory.ts'

const VISIT_COLUMNS = ['build', 'app_id', 'client', 'start_at', 'end_at', 'visit_at', 'bot', 'visitor', 'content']
const HOUR_MS = 3_600_000

export async function writeVisits(trx: Knex.Transaction, build: number, state: State): Promise<void> {
  await removeRows(trx, build, state)
  const visits: Value[][] = []
  const listed: Value[][] = []
  const pieces: Value[][] = []
  const apps = new Set<TimelineApp>()
  for (const { timeline, visit, before } of state.touched) {
    const { app } = timeline
    tell(state.tally, app.appId, before, visit.dropped ? undefined : contributionOf(visit, timeline.bot))
    visit.touched = false
    const lengthMs = timeline.explicit ? 0 : visit.end - visit.start
    if (app.longestMs === undefined || lengthMs > app.longestMs) {
      app.longestMs = Math.ceil(lengthMs / HOUR_MS) * HOUR_MS
      apps.add(app)
    }
    if (visit.dropped) continue
    const { key } = timeline
    const [main, ...others] = visitorsOf(visit)
    const visitAt = visit.first?.at ?? null
    visits.push([build, app.key, key, visit.start, visit.end, visitAt, timeline.bot ? 1 : 0, main ?? -1, visitBytes(visit)])
    for (const visitor of others) listed.push([build, app.key, visitor, visitAt, key, visit.start])
    for (const runs of visit.newPieces) pieces.push([build, app.key, key, runs[0]!, runsBytes(runs)])
    visit.newPieces = []
    visit.storedStart = visit.start
  }
  await replaceRows(trx, 'web_visits', VISIT_COLUMNS, visits)
  await replaceRows(trx, 'web_visit_visitors', ['build', 'app_id', 'visitor', 'visit_at', 'client', 'start_at'], listed)
  await replaceRows(trx, 'web_visit_positions', ['build', 'app_id', 'client', 'first_position', 'positions'], pieces)
  await replaceRows(trx, 'web_visit_apps', ['build', 'app_id', 'longest_ms'], [...apps].map(({ key, longestMs }) => [build, key, longestMs!]))
  await state.tally.write(trx, build)
  state.memory.open = false
  trim(state.memory)
}

/** Rows whose key is no more: of runs that were joined or cut or start elsewhere now, and of visitors they do not have. */
async function removeRows(trx: Knex.Transaction, build: number, { touched, timelines }: State): Promise<void> {
  const listed: RowSet[] = []
  for (const { timeline, visit, before, listed: visitors } of touched) {
    const { storedStart } = visit
    if (!visit.dropped && storedStart !== undefined && storedStart !== visit.start) timeline.gone.push(storedStart)
    if (before === undefined || visitors.length === 0) continue
    const { startMs } = before.visit
    const still = visit.dropped || visit.first?.at !== startMs ? [] : visitorsOf(visit).slice(1)
    for (const visitor of visitors) {
      if (still.includes(visitor)) continue
      listed.push({ app: timeline.app.key, where: [['visitor', visitor], ['visit_at', startMs]], column: 'client', values: [timeline.key] })
    }
  }
  const visits: RowSet[] = []
  const pieces: RowSet[] = []
  for (const timeline of timelines) {
    const { app, key, gone, gonePieces } = timeline
    if (gone.length > 0) visits.push({ app: app.key, where: [['client', key]], column: 'start_at', values: gone })
    if (gonePieces.length > 0) pieces.push({ app: app.key, where: [['client', key]], column: 'first_position', values: gonePieces })
    timeline.gone = []
    timeline.gonePieces = []
  }
  await deleteAmong(trx, 'web_visit_visitors', build, listed)
  await deleteAmong(trx, 'web_visits', build, visits)
  await deleteAmong(trx, 'web_visit_positions', build, pieces)
}
