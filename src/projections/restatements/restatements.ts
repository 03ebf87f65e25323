// Which closed days changed, when, by how much and why. A day is closed once the app's log has reached a later one; where the
// log stands is the local day of the latest occurrence seen so far, or of recording where that claims the future. So an
// import in order of receipt shows the late rows of its history, and one event with a clock that is ahead does not make
// everything after it late for long.
import type { Knex } from 'knex'
import type { FoldEvent } from '../../events/catalogue.ts'
import { type Content, contentOf } from '../../events/content.ts'
import { eventCollected } from '../../events/eventCollected.ts'
import { eventCorrected } from '../../events/eventCorrected.ts'
import { eventRetracted } from '../../events/eventRetracted.ts'
import { type LocalDay, localDays, type LocalDays } from '../../kernel/calendar.ts'
import { bytesToUuid, uuidToBytes } from '../../kernel/ids.ts'
import { replaceRows, type Value } from '../storage/bulkRows.ts'
import type { EventReader, FoldContext, Projection } from '../projection.ts'
import { addFact, addToRows, type Cause, CAUSES, noChange, type Restatement } from './rows.ts'
import { bytesOf } from '../storage/rows.ts'
import { chunks } from '../storage/rowSets.ts'
import { takingsOf, type Takings } from '../visitors/takings.ts'
import { isPageview } from '../visitors/visitRules.ts'

class AppLog {
  readonly key: Buffer
  changed = false
  private readonly zone: LocalDays
  // Neighbours in the log are mostly of one day.
  private last: LocalDay = { day: NaN, fromMs: NaN, toMs: NaN }

  constructor(
    appId: string,
    timezone: string,
    /** The largest occurredAt of a collected event so far; below 0 before the first. */
    public latestMs: number,
  ) {
    this.key = uuidToBytes(appId)
    this.zone = localDays(timezone)
  }

  day(atMs: number): number {
    if (!(atMs >= this.last.fromMs && atMs < this.last.toMs)) this.last = this.zone.at(atMs)
    return this.last.day
  }
}

export interface RestatementsMemory {
  readonly apps: Map<string, AppLog>
  /** True while a fold has moved it that was not written yet. */
  open: boolean
}

export interface RestatementsState {
  readonly memory: RestatementsMemory
  readonly context: FoldContext
  taken: Takings | undefined
  /** What is added to rows, by app, day, reached day and cause. */
  readonly rows: Map<string, Restatement>
  readonly reasons: Value[][]
}

const REASON_COLUMNS = ['build', 'app_id', 'day', 'position', 'reached', 'cause']
/** Apps that one process remembers per partition; the others are read again. */
const APPS_KEPT = 5_000

export const restatements: Projection<RestatementsState, RestatementsMemory> = {
  name: 'restatements',
  codeVersion: 1,
  source: 'apps',
  zoned: true,
  cost: 1.5,
  eventTypes: [eventCollected.type, eventCorrected.type, eventRetracted.type],
  tables: [
    { name: 'restatement_apps', key: ['app_id'] },
    { name: 'restatements', key: ['app_id', 'day', 'reached', 'cause'] },
    { name: 'restatement_reasons', key: ['app_id', 'day', 'position'] },
  ],
  memory: () => ({ apps: new Map(), open: false }),
  start: (memory, context) => {
    // A fold that was never written left things here that the tables do not have.
    if (memory.open || memory.apps.size > APPS_KEPT) memory.apps.clear()
    memory.open = false
    return { memory, context, taken: undefined, rows: new Map(), reasons: [] }
  },
  load,
  fold(state, events) {
    state.memory.open = true
    for (const event of events) foldOne(state, event)
  },
  write,
}

function foldOne(state: RestatementsState, event: FoldEvent): void {
  const app = state.memory.apps.get(event.appId)!
  const reached = reachedDay(app, event)
  if (event.type === eventCollected.type) {
    const content = event.data === null ? undefined : contentOf(event)
    // Its name is no concern of ours, but what no other read model can digest is not late either.
    if (content === undefined) return
    if (typeof content.data.event !== 'string') throw new TypeError('an event without a name')
    restate(state, event, content, { app, reached, cause: 'late', sign: 1 })
    if (event.occurredAt <= app.latestMs) return
    app.latestMs = event.occurredAt
    app.changed = true
    return
  }
  const cause = event.type === eventCorrected.type ? 'corrected' : 'retracted'
  const before = state.taken?.get(event.position)
  const after = contentOf(event)
  const days = new Set<number>()
  for (const [content, sign] of [[before, -1], [after, 1]] as const) {
    const day = content === undefined ? undefined : restate(state, event, content, { app, reached, cause, sign })
    if (day !== undefined) days.add(day)
  }
  for (const day of days) state.reasons.push([app.key, day, event.position, reached, CAUSES.indexOf(cause)])
}

interface How {
  readonly app: AppLog
  readonly reached: number
  readonly cause: Cause
  readonly sign: 1 | -1
}

/** The day that it restates, if that was closed. */
function restate({ rows }: RestatementsState, { position }: FoldEvent, { occurredAt, data }: Content, { app, reached, cause, sign }: How): number | undefined {
  const day = app.day(occurredAt)
  if (day >= reached) return undefined
  const key = `${app.key.toString('latin1')}${day}/${reached}/${cause}`
  let row = rows.get(key)
  if (row === undefined) rows.set(key, (row = noChange(app.key, day, reached, cause)))
  addFact(row, position, sign, isPageview(data))
  return day
}

/** Where the log stood when the event was recorded. Before its first event nothing is closed. */
function reachedDay(app: AppLog, { recordedAt }: FoldEvent): number {
  return app.latestMs < 0 ? -Infinity : app.day(Math.min(recordedAt, app.latestMs))
}

async function load(db: Knex, build: number, state: RestatementsState, events: readonly FoldEvent[], reader: EventReader): Promise<void> {
  state.memory.open = true
  await loadApps(db, build, state, events)
  state.taken = await takingsOf(events, reader)
}

async function loadApps(db: Knex, build: number, { memory, context }: RestatementsState, events: readonly FoldEvent[]): Promise<void> {
  const missing = [...new Set(events.map(({ appId }) => appId))].filter((appId) => !memory.apps.has(appId))
  for (const ids of chunks(missing)) {
    const rows = await db('restatement_apps')
      .where({ build })
      .whereIn('app_id', ids.map(uuidToBytes))
      .select<{ app_id: Uint8Array | ArrayBuffer; latest_occurred_at: number | string }[]>('app_id', 'latest_occurred_at')
    const latest = new Map(rows.map((row) => [bytesToUuid(bytesOf(row.app_id)), Number(row.latest_occurred_at)]))
    for (const id of ids) memory.apps.set(id, new AppLog(id, context.timezoneOf(id), latest.get(id) ?? -1))
  }
}

async function write(trx: Knex.Transaction, build: number, { memory, rows, reasons }: RestatementsState): Promise<void> {
  const apps: Value[][] = []
  for (const app of memory.apps.values()) {
    if (app.changed) apps.push([build, app.key, app.latestMs])
    app.changed = false
  }
  await replaceRows(trx, 'restatement_apps', ['build', 'app_id', 'latest_occurred_at'], apps)
  await addToRows(trx, build, [...rows.values()])
  await replaceRows(trx, 'restatement_reasons', REASON_COLUMNS, reasons.map((reason) => [build, ...reason]))
  memory.open = false
}
