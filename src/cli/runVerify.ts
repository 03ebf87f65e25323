// `recount verify`: the log partition by partition, what was published of it and what the ledger says of it, then every read model
// against a fresh fold.
import { readFileSync } from 'node:fs'
import type { Config } from '../config.ts'
import type { Head } from '../events/eventLog.ts'
import { NoHeads, type PublishedHeads, readHeads } from '../events/publishedHeads.ts'
import { type PartitionReport, verifyLog } from '../events/verifyChain.ts'
import { type CheckedHeads, verifyPublished } from '../events/verifyHeads.ts'
import { verifyIds } from '../events/verifyIds.ts'
import { type LedgerReport, verifyLedger } from '../events/verifyLedger.ts'
import { PROJECTIONS } from '../projections/all.ts'
import { type Verified, verifyReadModels } from '../projections/verify.ts'
import { UsageError } from './exitCodes.ts'
import { createProgress, whole } from './progress.ts'
import { type Stores, withStores } from './stores.ts'

export interface Verification {
  readonly ok: boolean
  readonly partitions: readonly PartitionReport[]
  readonly duplicateIds: readonly string[]
  /** Empty where none were given. */
  readonly heads: readonly CheckedHeads[]
  readonly ledger: LedgerReport
  readonly readModels: readonly { projection: string; build: number; rows: number; differences: readonly string[]; lagEvents: number }[]
}

export interface VerifyFlags {
  readonly logOnly: boolean
  /** A file of published heads. */
  readonly heads?: string | undefined
  readonly json: boolean
}

/** Answers true when everything is as it should be. Throws UsageError for a file without published heads. */
export async function runVerify(config: Config, flags: VerifyFlags): Promise<boolean> {
  const published = flags.heads === undefined ? [] : readPublished(flags.heads)
  return withStores(config, async (stores) => {
    const [partitions, duplicateIds, ledger] = await Promise.all([chains(stores), verifyIds(stores.database), verifyLedger(stores.database)])
    const heads = await verifyPublished(stores.database, published, partitions)
    const logHeads = await stores.log.heads()
    const logIsWhole =
      partitions.every(({ broken }) => broken === undefined) && duplicateIds.length === 0 && [...heads, ledger].every(({ differences }) => differences.length === 0)
    const readModels = flags.logOnly ? [] : (await models(stores, logIsWhole)).map((verified) => ({ ...shown(verified), lagEvents: lagOf(verified, logHeads) }))
    const ok = logIsWhole && readModels.every(({ differences }) => differences.length === 0)
    const found: Verification = { ok, partitions, duplicateIds, heads, ledger, readModels }
    console.log(flags.json ? JSON.stringify(found) : inWords(found))
    return ok
  })
}

function readPublished(file: string): PublishedHeads[] {
  try {
    return readHeads(readFileSync(file, 'utf8'))
  } catch (error) {
    if (error instanceof NoHeads) throw new UsageError(`${file}: ${error.message}`)
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw new UsageError((error as Error).message)
    throw error
  }
}

function shown({ projection, build, rows, differences }: Verified): Omit<Verified, 'positions'> {
  return { projection, build, rows, differences }
}

/** Events that were in the log before the comparison began and are not counted yet. */
function lagOf({ positions }: Verified, heads: readonly Head[]): number {
  return heads.reduce((lag, { partition, position }) => lag + Math.max(0, position - (positions.get(partition) ?? position)), 0)
}

async function chains({ database }: Stores): Promise<PartitionReport[]> {
  const progress = createProgress('log')
  try {
    return await verifyLog(database, { onProgress: (events, total) => progress.update(events, total === 0 ? 1 : Math.min(1, events / total)) })
  } finally {
    progress.stop()
  }
}

/** What was changed behind the log's back may not even be readable: of a log that is not whole, that is one of the findings. */
async function models({ log, database, clock, logger }: Stores, logIsWhole: boolean): Promise<Verified[]> {
  const found: Verified[] = []
  for (const projection of PROJECTIONS) {
    const progress = createProgress(projection.name)
    const onProgress = (_: string, { events, percent }: { events: number; percent: number }): void => progress.update(events, percent / 100)
    const unfolded = (error: unknown): Verified[] => {
      if (logIsWhole) throw error
      return [{ projection: projection.name, build: 0, positions: new Map(), rows: 0, differences: [`the log cannot be folded: ${(error as Error).message}`] }]
    }
    found.push(...(await verifyReadModels({ log, database, projections: [projection], onProgress, clock, logger }).catch(unfolded).finally(() => progress.stop())))
  }
  return found
}

function inWords({ ok, partitions, duplicateIds, heads, ledger, readModels }: Verification): string {
  const events = partitions.reduce((sum, report) => sum + report.events, 0)
  const redacted = partitions.reduce((sum, report) => sum + report.redacted, 0)
  const broken = partitions.flatMap(({ partition, broken: at }) => (at === undefined ? [] : [`  partition ${partition}, position ${at.position}: ${at.reason}`]))
  const lines = [
    `log          ${whole(events)} events in ${partitions.length} partitions, ${whole(redacted)} erased: ${broken.length === 0 ? 'positions dense, chain whole' : 'BROKEN'}`,
    ...broken,
    `ids          ${duplicateIds.length === 0 ? 'unique' : 'NOT UNIQUE'}`,
    ...duplicateIds.map((words) => `  ${words}`),
    ...headsInWords(heads),
    `ledger       ${whole(ledger.events)} events of ${ledger.apps} apps: ${ledger.differences.length === 0 ? 'counted as the log has them' : 'DIFFERENT'}`,
    ...ledger.differences.map((words) => `  ${words}`),
    ...readModels.flatMap(({ projection, rows, differences, lagEvents }) => [
      `${projection.padEnd(12)} ${whole(rows)} rows: ${differences.length === 0 ? 'equal to a fresh fold' : 'DIFFERENT'}${lagEvents === 0 ? '' : `, ${whole(lagEvents)} events behind the log`}`,
      ...differences.map((words) => `  ${words}`),
    ]),
  ]
  return [...lines, conclusion(ok, readModels)].join('\n')
}

/** For each publication until when it proves what: the events stored by then. */
function headsInWords(heads: readonly CheckedHeads[]): string[] {
  return heads.flatMap(({ at, events, differences }) => [
    `published    ${at}, ${whole(events)} events: ${differences.length === 0 ? 'as they were then' : 'NOT AS THEY WERE THEN'}`,
    ...differences.map(({ partition, position, reason }) => `  partition ${partition}, position ${position}: ${reason}`),
  ])
}

function conclusion(ok: boolean, readModels: Verification['readModels']): string {
  if (!ok) return 'Something is wrong; see above.'
  if (readModels.every(({ lagEvents }) => lagEvents === 0)) return 'Everything is as it should be.'
  return 'What is counted is as it should be. Not all of the log is counted yet: a running server (or `recount serve --role project`) goes on.'
}
