// `recount ledger`: every app's ledger and their sum, for whoever runs the installation; and whether the log agrees, which its
// heads alone can say.
import { openQueuedPacks } from '../commands/queuedPacks.ts'
import type { Config } from '../config.ts'
import { Problem } from '../errors.ts'
import { readNothingQueued, type ReadQueued } from '../events/ledger.ts'
import { reconcileHeads } from '../events/verifyLedger.ts'
import { type Difference, type LedgerAnswer, type LedgerCounts, readLedgerOf, totalOf } from '../queries/ledger.ts'
import type { RangeParams } from '../queries/range.ts'
import { findApp } from './apps.ts'
import { UsageError } from './exitCodes.ts'
import type { LedgerFlags } from './commands/ledger.ts'
import { whole } from './progress.ts'
import { type Stores, withStores } from './stores.ts'

export interface LedgerFound {
  readonly reconciles: boolean
  readonly apps: readonly (LedgerAnswer & { readonly name: string; readonly deleted: boolean })[]
  readonly total: LedgerCounts
  /** Of the log as a whole, whichever apps and hours were asked for. */
  readonly differences: readonly Difference[]
}

/** Answers true when everything agrees. */
export async function runLedger(config: Config, flags: LedgerFlags): Promise<boolean> {
  return withStores(config, async (stores) => {
    const queue = await queueOf(config, stores)
    try {
      const found = await ledgers(stores, queue.queued, flags)
      console.log(flags.json === true ? JSON.stringify(found) : inWords(found))
      return found.reconciles
    } finally {
      queue.close()
    }
  })
}

function queueOf({ redisUrl }: Config, { logger }: Stores): Promise<{ queued: ReadQueued; close(): void }> {
  if (redisUrl !== undefined) return openQueuedPacks(redisUrl, logger)
  return Promise.resolve({ queued: readNothingQueued, close: () => undefined })
}

async function ledgers(stores: Stores, queued: ReadQueued, { app, from, to, json }: LedgerFlags): Promise<LedgerFound> {
  const { keyring, database } = stores
  const asked = app === undefined ? [...keyring.state.apps()] : [findApp(stores, app)]
  const range: RangeParams = from === undefined && to === undefined ? { period: 'all' } : { from: from ?? EARLIEST, ...(to === undefined ? {} : { to }) }
  const apps: LedgerFound['apps'][number][] = []
  for (const { appId, partition, name, deleted } of asked) {
    const answer = await readLedgerOf({ ...stores, queued, unbounded: true }, { appId, partition, timezone: 'UTC' }, range).catch(refusal)
    // The hours of years and of all apps are many, and only JSON shows them.
    apps.push({ ...answer, ...(json === true ? {} : { hours: [] }), name, deleted })
  }
  const differences = (await database.snapshot(reconcileHeads))
    .filter(({ position, recorded }) => position !== recorded)
    .map(({ partition, position, recorded }) => ({ what: `events of partition ${partition} and events counted as recorded or decided`, expected: position, found: recorded }))
  const known = apps.every(({ total }) => total.inFlight !== null)
  return { reconciles: differences.length === 0 && apps.every(({ reconciles }) => reconciles), apps, total: totalOf(apps.map(({ total }) => total), known), differences }
}

/** What is wrong with --from and --to is for whoever typed them. */
function refusal(error: unknown): never {
  if (!(error instanceof Problem) || error.status !== 400) throw error
  throw new UsageError([error.message, ...(error.errors ?? []).map(({ path, detail }) => `--${path.replace('/', '')} ${detail}`)].join('\n'))
}

const EARLIEST = '1970-01-01'

const COLUMNS: readonly (readonly [heading: string, count: (counts: LedgerCounts) => number | null])[] = [
  ['received', ({ received }) => received],
  ['accepted', ({ accepted }) => accepted],
  ['stored', ({ stored }) => stored],
  ['duplicates', ({ duplicates }) => duplicates],
  ['in flight', ({ inFlight }) => inFlight],
  ['rejected', ({ rejected }) => rejected],
  ['released', ({ released }) => released],
  ['discarded', ({ discarded }) => discarded],
  ['recorded', ({ recorded }) => recorded],
  ['projected', ({ projected }) => projected],
  ['behind', ({ behind }) => behind],
  ['dead', ({ dead }) => dead],
]

function inWords({ reconciles, apps, total, differences }: LedgerFound): string {
  const rows = [
    ['app', ...COLUMNS.map(([heading]) => heading)],
    ...apps.map(({ name, deleted, total: counts }) => [deleted ? `${name} (deleted)` : name, ...cells(counts)]),
    ...(apps.length === 1 ? [] : [['all', ...cells(total)]]),
  ]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const lines = rows.map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ').trimEnd())
  const all = [...differences, ...apps.flatMap((app) => app.differences.map(({ what, ...counts }) => ({ what: `${app.name}: ${what}`, ...counts })))]
  return [
    ...lines,
    ...(apps.every(({ exact }) => exact.inFlight) ? [] : ['In flight: at least; the queue cannot be asked, or holds more than is counted.']),
    ...(apps.every(({ exact }) => exact.behind) ? [] : ['Behind: at least.']),
    ...all.map(({ what, expected, found }) => `  ${what}: ${whole(expected)} and ${whole(found)}`),
    reconciles ? 'Everything agrees.' : 'Something does not agree; see above. `recount verify` counts the log event by event.',
  ].join('\n')
}

function cells(counts: LedgerCounts): string[] {
  return COLUMNS.map(([, count]) => {
    const value = count(counts)
    return value === null ? '?' : whole(value)
  })
}

