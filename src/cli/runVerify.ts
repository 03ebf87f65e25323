// `recount verify`: the log partition by partition, then every read model against a fresh fold.
import type { Config } from '../config.ts'
import type { Head } from '../events/eventLog.ts'
import { type ChainReport, verifyChain } from '../events/verifyChain.ts'
import { verifyIds } from '../events/verifyIds.ts'
import { PROJECTIONS } from '../projections/all.ts'
import { type Verified, verifyReadModels } from '../projections/verify.ts'
import { createProgress, whole } from './progress.ts'
import { type Stores, withStores } from './stores.ts'

export interface Verification {
  readonly ok: boolean
  readonly partitions: readonly (ChainReport & { readonly partition: number })[]
  readonly duplicateIds: readonly string[]
  readonly readModels: readonly { projection: string; build: number; rows: number; differences: readonly string[]; lagEvents: number }[]
}

/** Answers true when everything is as it should be. */
export async function runVerify(config: Config, options: { readonly logOnly: boolean; readonly json: boolean }): Promise<boolean> {
  return withStores(config, async (stores) => {
    const partitions = await chains(stores)
    const duplicateIds = await verifyIds(stores.database)
    const heads = await stores.log.heads()
    const readModels = options.logOnly ? [] : (await models(stores)).map((verified) => ({ ...shown(verified), lagEvents: lagOf(verified, heads) }))
    const ok = partitions.every(({ broken }) => broken === undefined) && duplicateIds.length === 0 && readModels.every(({ differences }) => differences.length === 0)
    const found: Verification = { ok, partitions, duplicateIds, readModels }
    console.log(options.json ? JSON.stringify(found) : inWords(found))
    return ok
  })
}

function shown({ projection, build, rows, differences }: Verified): Omit<Verified, 'positions'> {
  return { projection, build, rows, differences }
}

/** Events that were in the log before the comparison began and are not counted yet. */
function lagOf({ positions }: Verified, heads: readonly Head[]): number {
  return heads.reduce((lag, { partition, position }) => lag + Math.max(0, position - (positions.get(partition) ?? position)), 0)
}

async function chains({ log, database }: Stores): Promise<Verification['partitions'][number][]> {
  const heads = await log.heads()
  const total = heads.reduce((sum, { position }) => sum + position, 0)
  const progress = createProgress('log')
  const reports: Verification['partitions'][number][] = []
  let before = 0
  try {
    for (const { partition } of heads) {
      const report = await verifyChain(database, partition, (events) => progress.update(before + events, total === 0 ? 1 : Math.min(1, (before + events) / total)))
      reports.push({ partition, ...report })
      before += report.events
    }
    return reports
  } finally {
    progress.stop()
  }
}

async function models({ log, database, clock, logger }: Stores): Promise<Verified[]> {
  const found: Verified[] = []
  for (const projection of PROJECTIONS) {
    const progress = createProgress(projection.name)
    const onProgress = (_: string, { events, percent }: { events: number; percent: number }): void => progress.update(events, percent / 100)
    found.push(...(await verifyReadModels({ log, database, projections: [projection], onProgress, clock, logger }).finally(() => progress.stop())))
  }
  return found
}

function inWords({ ok, partitions, duplicateIds, readModels }: Verification): string {
  const events = partitions.reduce((sum, report) => sum + report.events, 0)
  const redacted = partitions.reduce((sum, report) => sum + report.redacted, 0)
  const broken = partitions.flatMap(({ partition, broken: at }) => (at === undefined ? [] : [`  partition ${partition}, position ${at.position}: ${at.reason}`]))
  const lines = [
    `log          ${whole(events)} events in ${partitions.length} partitions, ${whole(redacted)} erased: ${broken.length === 0 ? 'positions dense, chain whole' : 'BROKEN'}`,
    ...broken,
    `ids          ${duplicateIds.length === 0 ? 'unique' : 'NOT UNIQUE'}`,
    ...duplicateIds.map((words) => `  ${words}`),
    ...readModels.flatMap(({ projection, rows, differences, lagEvents }) => [
      `${projection.padEnd(12)} ${whole(rows)} rows: ${differences.length === 0 ? 'equal to a fresh fold' : 'DIFFERENT'}${lagEvents === 0 ? '' : `, ${whole(lagEvents)} events behind the log`}`,
      ...differences.map((words) => `  ${words}`),
    ]),
  ]
  return [...lines, conclusion(ok, readModels)].join('\n')
}

function conclusion(ok: boolean, readModels: Verification['readModels']): string {
  if (!ok) return 'Something is wrong; see above.'
  if (readModels.every(({ lagEvents }) => lagEvents === 0)) return 'Everything is as it should be.'
  return 'What is counted is as it should be. Not all of the log is counted yet: a running server (or `recount serve --role project`) goes on.'
}
