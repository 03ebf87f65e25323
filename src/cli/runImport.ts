// `recount import` from its options to its summary.
import type { Config } from '../config.ts'
import type { AppState } from '../commands/keyring.ts'
import { findApp, findOrRegisterApp } from './apps.ts'
import { BadLines } from './badLines.ts'
import { CommandFailed } from './exitCodes.ts'
import { createReader, type Format } from './formats/formats.ts'
import { type Input, openInput } from './formats/input.ts'
import { createMapping, type MappingOptions } from './formats/mapping.ts'
import { AppDeleted, importEvents, type ImportTotals } from './importEvents.ts'
import { createProgress, duration, whole } from './progress.ts'
import { type Stores, withStores } from './stores.ts'

export interface ImportOptions {
  readonly file: string
  readonly app: string | undefined
  readonly createApp: string | undefined
  readonly timezone: string | undefined
  readonly format: Format
  readonly mapping: MappingOptions
  readonly delimiter: string
  readonly site: string | undefined
  readonly count: boolean
  readonly json: boolean
}

export interface ImportSummary extends ImportTotals {
  readonly file: string
  readonly appId: string | null
  readonly seconds: number
  readonly eventsPerSecond: number
  /** Undefined where counting was left to the server. */
  readonly countingSeconds: number | undefined
}

export async function runImport(config: Config, options: ImportOptions): Promise<ImportSummary> {
  const input = open(options.file)
  return withStores(config, async (stores) => {
    const app = await appOf(stores, options)
    const summary = await imported(stores, app, input, options)
    if (options.json) console.log(JSON.stringify(summary))
    else console.log(inWords(summary, app))
    return summary
  })
}

function open(file: string): Input {
  try {
    return openInput(file)
  } catch (error) {
    throw new CommandFailed(`cannot read ${file}: ${(error as Error).message}`, { cause: error })
  }
}

async function appOf(stores: Stores, { app, createApp, timezone, site }: ImportOptions): Promise<AppState | undefined> {
  if (createApp !== undefined) {
    const more = { ...(timezone === undefined ? {} : { timezone }), ...(site === undefined ? {} : { url: site }) }
    return findOrRegisterApp(stores, { name: createApp, ...more })
  }
  return app === undefined ? undefined : findApp(stores, app)
}

const NO_SITE = "neither --site nor the app's url says which site this is: pages have no host, and links within the site will count as referrals"

async function imported(stores: Stores, app: AppState | undefined, input: Input, options: ImportOptions): Promise<ImportSummary> {
  const progress = createProgress('importing')
  const bad = new BadLines((line) => progress.line(line))
  const site = options.site ?? originOf(app?.url)
  if (options.format === 'combined' && site === undefined) progress.line(NO_SITE)
  const startedAt = performance.now()
  const totals = await importEvents(stores, {
    ...{ input, app },
    reader: createReader(options.format, { delimiter: options.delimiter, site }),
    mapping: createMapping(options.mapping),
    onBad: (number, reason) => bad.report(number, reason),
    onProgress: (accepted) => progress.update(accepted, input.totalBytes === undefined ? undefined : input.readBytes() / input.totalBytes),
  })
    .catch((error: unknown) => {
      if (unreadable(error)) throw new CommandFailed(`${options.file}: ${(error as Error).message}; what came before is stored`, { cause: error })
      if (error instanceof AppDeleted) throw new CommandFailed(deletedInWords(app!, error), { cause: error })
      throw error
    })
    .finally(() => progress.stop())
  const seconds = (performance.now() - startedAt) / 1_000
  const countingSeconds = options.count ? await counted(stores) : undefined
  const eventsPerSecond = Math.round(totals.accepted / seconds)
  return { file: options.file, appId: app?.appId ?? null, ...totals, seconds: round(seconds), eventsPerSecond, countingSeconds }
}

function deletedInWords({ name, appId }: AppState, { stored }: AppDeleted): string {
  return `app ${name} (${appId}) was deleted during the import, which stopped; ${whole(stored)} events are stored and nobody can read them`
}

async function counted(stores: Stores): Promise<number> {
  const { countUntilCaughtUp } = await import('./counting.ts')
  const startedAt = performance.now()
  await countUntilCaughtUp(stores)
  return round((performance.now() - startedAt) / 1_000)
}

/** Damage of the file and not of the program: a gzip cut short, a disk that fails, a header that is none. */
function unreadable(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  return code.startsWith('Z_') || code === 'EIO' || code === 'ERR_STREAM_PREMATURE_CLOSE'
}

function originOf(url: string | undefined): string | undefined {
  return url !== undefined && URL.canParse(url) ? new URL(url).origin : undefined
}

function round(seconds: number): number {
  return Math.round(seconds * 1_000) / 1_000
}

function inWords(summary: ImportSummary, app: AppState | undefined): string {
  const lines = [
    ['app', app === undefined ? 'as exported' : `${app.name} (${app.appId})`],
    ['lines', whole(summary.rows)],
    ['accepted', `${whole(summary.accepted)} events (${whole(summary.stored)} new, ${whole(summary.duplicates)} there before)`],
    ...(summary.skipped === 0 ? [] : [['skipped', `${whole(summary.skipped)} exported settings and keys, which stay the app's own`]]),
    ['bad lines', whole(summary.bad)],
    ['time', `${duration(summary.seconds)}, ${whole(summary.eventsPerSecond)} events/s`],
    ['counted', summary.countingSeconds === undefined ? 'by the server' : `${duration(summary.countingSeconds)} after that`],
  ]
  return lines.map(([name, value]) => `${name!.padEnd(10)} ${value!}`).join('\n')
}
