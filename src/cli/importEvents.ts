// From lines to stored events, at constant memory: every row passes the decision that /collect makes (checks, privacy,
// cookieless ids), exported events are put back as they are, and what is not taken is reported by its line.
import { isUnavailable } from '../commands/execution.ts'
import { createLogAppender } from '../commands/logAppender.ts'
import type { AppState, Keyring } from '../commands/keyring.ts'
import { importContext, isRefusal, prepareEvent } from '../commands/prepareEvent.ts'
import type { SaltStore } from '../commands/salts.ts'
import type { EventLog } from '../events/eventLog.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'
import { Batches } from './batches.ts'
import type { ExportedEvent } from './exportLine.ts'
import type { Input } from './formats/input.ts'
import { readLines } from './formats/lines.ts'
import type { EventInput } from './formats/mapping.ts'
import type { Columns, RowReader, RowSink } from './formats/row.ts'
import { rowIds } from './formats/rowId.ts'
import { createRestorer, type Restorer } from './restore.ts'

export interface ImportDeps {
  readonly log: EventLog
  readonly keyring: Pick<Keyring, 'state' | 'refresh'>
  readonly salts: SaltStore
  readonly clock: Clock
  readonly logger: Logger
}

export interface ImportTask {
  readonly input: Input
  readonly reader: RowReader
  /** Undefined: exported events only, each back to its own app. */
  readonly app: AppState | undefined
  readonly mapping: (columns: Columns) => EventInput | string
  /** JSON text kept beside each event, saying where it came from. */
  readonly meta?: string
  readonly onBad: (number: number, reason: string) => void
  readonly onProgress: (accepted: number) => void
}

export interface ImportTotals {
  /** Rows of the file: accepted + skipped + bad. */
  rows: number
  /** Taken: stored now or there before. */
  accepted: number
  stored: number
  duplicates: number
  /** Exported lines that have no place in the app they were imported into: its settings and keys are its own. */
  skipped: number
  bad: number
}

/** How long a store may be away before an import gives up; it can be run again at any time. */
const GIVE_UP_MS = 60_000
const META = JSON.stringify({ via: 'import' })

/** Throws AppDeleted when somebody deletes the app meanwhile. */
export async function importEvents(deps: ImportDeps, task: ImportTask): Promise<ImportTotals> {
  return new Import(deps, task).run()
}

/** What was handed to the log before is stored, and nobody can read it. */
export class AppDeleted extends Error {
  constructor(readonly stored: number) {
    super('the app was deleted during the import')
    this.name = 'AppDeleted'
  }
}

type Pending =
  | { readonly number: number; readonly bytes: Uint8Array; readonly columns: Columns }
  | { readonly number: number; readonly exported: ExportedEvent }

class Import implements RowSink {
  private readonly totals: ImportTotals = { rows: 0, accepted: 0, stored: 0, duplicates: 0, skipped: 0, bad: 0 }
  private pending: Pending[] = []
  private readonly batches: Batches
  private readonly restorer: Restorer
  private readonly prepare: ((row: Columns, bytes: Uint8Array, number: number) => ReturnType<typeof prepareEvent> | string) | undefined
  private readonly close: () => Promise<void>
  private lookedAt = performance.now()

  constructor(
    private readonly deps: ImportDeps,
    private readonly task: ImportTask,
  ) {
    const { log, logger, clock } = deps
    const appender = createLogAppender({ log, logger, maxEvents: LIMITS.importBatchEvents, maxWaitMs: 0, giveUpMs: GIVE_UP_MS })
    this.close = () => appender.close()
    this.batches = new Batches(appender, clock.now(), (number) => this.refuse(number, 'cannot be held by the store; it is in quarantine'))
    this.restorer = createRestorer(log, task.app?.appId)
    this.prepare = task.app === undefined ? undefined : preparer(task.app, task, deps)
  }

  async run(): Promise<ImportTotals> {
    const { input, reader } = this.task
    let deleted = false
    try {
      for await (const lines of readLines(input.chunks, LIMITS.importLineBytes)) {
        reader.read(lines, this)
        deleted = await this.isDeleted(LIMITS.importLookMs)
        if (deleted) break
        await this.take()
      }
      if (!deleted) {
        reader.end(this)
        await this.take()
      }
    } finally {
      // What was read before the input broke is sound, and stays: the next run adds the rest.
      await this.batches.finish()
      await this.close()
    }
    if (deleted || (await this.isDeleted(0))) throw new AppDeleted(this.batches.totals.stored)
    return this.summed()
  }

  /** Looked up anew where that is longer ago. An export brings its apps along, deleted or not, and is not asked about. */
  private async isDeleted(longerAgoMs: number): Promise<boolean> {
    const { app } = this.task
    if (app === undefined || performance.now() - this.lookedAt < longerAgoMs) return false
    const { keyring, log } = this.deps
    this.lookedAt = performance.now()
    try {
      await keyring.refresh()
    } catch (error) {
      // A store that is away is waited for, and given up, by what stores.
      if (!isUnavailable(log, error)) throw error
    }
    return keyring.state.app(app.appId)?.deleted === true
  }

  row(number: number, bytes: Uint8Array, columns: Columns): void {
    this.totals.rows += 1
    this.pending.push({ number, bytes, columns })
  }

  exported(number: number, event: ExportedEvent): void {
    this.totals.rows += 1
    this.pending.push({ number, exported: event })
  }

  bad(number: number, reason: string): void {
    this.totals.rows += 1
    this.totals.bad += 1
    this.task.onBad(number, reason)
  }

  private async take(): Promise<void> {
    const rows = this.pending
    this.pending = []
    for (const row of rows) {
      const waited = 'exported' in row ? this.takeExported(row.number, row.exported) : this.takeRow(row.number, row.bytes, row.columns)
      if (waited !== undefined) await waited
    }
    this.task.onProgress(this.totals.accepted)
  }

  /** Synchronous for most rows: a promise for each of a million rows would be most of the work. */
  private takeRow(number: number, bytes: Uint8Array, columns: Columns): Promise<void> | undefined {
    if (this.prepare === undefined) {
      this.refuse(number, 'is no line of an export; say which app it belongs to with --app')
      return undefined
    }
    const prepared = this.prepare(columns, bytes, number)
    if (typeof prepared === 'string') this.refuse(number, prepared)
    else if (prepared instanceof Promise) return prepared.then((done) => this.add(number, done))
    else return this.add(number, prepared)
    return undefined
  }

  private add(number: number, prepared: Exclude<ReturnType<typeof prepareEvent>, Promise<unknown>>): Promise<void> | undefined {
    if (isRefusal(prepared)) {
      this.refuse(number, `${prepared.path.slice(1).replaceAll('/', '.')} ${prepared.detail}`.trim())
      return undefined
    }
    this.totals.accepted += 1
    return this.batches.add(this.task.app!.partition, prepared, number)
  }

  private async takeExported(number: number, event: ExportedEvent): Promise<void> {
    const placed = await this.restorer.place(event)
    if (placed === 'skip') this.totals.skipped += 1
    else if ('reason' in placed) this.refuse(number, placed.reason)
    else {
      this.totals.accepted += 1
      await this.batches.add(placed.partition, placed.event, number)
    }
  }

  private refuse(number: number, reason: string): void {
    this.totals.bad += 1
    this.task.onBad(number, reason)
  }

  private summed(): ImportTotals {
    const { stored, duplicates } = this.batches.totals
    // An event that the store could not hold was accepted first and refused later.
    return { ...this.totals, accepted: stored + duplicates, stored, duplicates }
  }
}

function preparer(
  app: AppState,
  { mapping, meta = META }: ImportTask,
  { salts, clock }: ImportDeps,
): (columns: Columns, bytes: Uint8Array, number: number) => ReturnType<typeof prepareEvent> | string {
  const context = importContext(app, meta, clock.now())
  const idOf = rowIds(app.appId)
  return (columns, bytes, number) => {
    const input = mapping(columns)
    if (typeof input === 'string') return input
    input['id'] ??= idOf(bytes, number)
    return prepareEvent(input, context, salts)
  }
}
