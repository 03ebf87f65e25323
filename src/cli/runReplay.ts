// `recount replay`: rebuilds with their progress, ended in good order by Ctrl-C, and what else an operator does to builds.
import type { Config } from '../config.ts'
import { PROJECTIONS } from '../projections/all.ts'
import { findBuild, pauseBuilds } from '../projections/builds.ts'
import { dropBuild } from '../projections/dropRows.ts'
import type { Projection } from '../projections/projection.ts'
import { dryReplay, NothingKept, RebuildBusy, RebuildPaused, replay, type ReplayProgress, rollback } from '../projections/replay.ts'
import { replayTogether } from '../projections/replayTogether.ts'
import type { RebuildOptions } from '../projections/rebuildSession.ts'
import type { TrialReport } from '../projections/trial.ts'
import { findApp } from './apps.ts'
import type { ReplayFlags } from './commands/replay.ts'
import { CommandFailed, UsageError } from './exitCodes.ts'
import { createProgress, duration, whole } from './progress.ts'
import { type Stores, withStores } from './stores.ts'

export async function runReplay(config: Config, name: string, flags: ReplayFlags): Promise<void> {
  if (name === 'all') return replayAll(config, flags)
  const projection = PROJECTIONS.find((known) => known.name === name)
  if (projection === undefined) throw new UsageError(`there is no projection ${name}; there are ${PROJECTIONS.map((known) => known.name).join(', ')}, or all`)
  if (flags.diff === true && flags.dry !== true) throw new UsageError('--diff goes with --dry')
  if (flags.app !== undefined && projection.source !== 'apps') throw new UsageError(`--app does not go with ${name}, which is rebuilt as a whole`)
  await withStores(config, async (stores) => {
    if (flags.pause === true) return pauseIt(stores, projection, flags)
    if (flags.drop !== undefined) return dropIt(stores, projection, flags.drop, flags)
    const startedAt = performance.now()
    const done = await watched(stores, projection, flags, (options) => carryOut(stores, options, flags))
    const seconds = (performance.now() - startedAt) / 1_000
    tell({ projection: projection.name, ...done, seconds }, flags)
  })
}

interface Done {
  readonly build: number
  readonly appId?: string | null
  readonly report?: TrialReport
}

async function carryOut(stores: Stores, options: RebuildOptions, flags: ReplayFlags): Promise<Done> {
  if (flags.dry === true) return dryReplay(options)
  if (flags.rollback !== undefined) return { build: (await rollback({ ...options, build: flags.rollback === true ? undefined : flags.rollback })).build }
  const appId = flags.app === undefined ? undefined : findApp(stores, flags.app).appId
  return { build: (await replay({ ...options, appId, keep: flags.keep })).build, appId: appId ?? null }
}

async function watched<T>({ log, database, clock, logger }: Stores, projection: Projection, { threads }: ReplayFlags, work: (options: RebuildOptions) => Promise<T>): Promise<T & { events: number }> {
  const progress = createProgress(projection.name)
  let last: ReplayProgress | undefined
  // What an earlier run had folded before it was halted says nothing of this one's pace.
  let before: number | undefined
  const onProgress = (now: ReplayProgress): void => {
    before ??= now.events
    last = now
    progress.update(now.events, now.percent / 100)
  }
  const result = await interruptible((signal) => work({ log, database, clock, logger, projection, onProgress, signal, threads }).finally(() => progress.stop()))
  return { ...result, events: (last?.events ?? 0) - (before ?? 0) }
}

function tell(done: Done & { projection: string; events: number; seconds: number }, { json, dry, diff, rollback: back }: ReplayFlags): void {
  const { projection, build, events, seconds, report } = done
  const eventsPerSecond = Math.round(events / seconds)
  if (json === true) {
    console.log(JSON.stringify({ ...done, eventsPerSecond }))
    return
  }
  const pace = `${whole(events)} events in ${duration(seconds)}, ${whole(eventsPerSecond)} events/s`
  if (dry !== true) {
    console.log(`${projection}: build ${build} is live${back === undefined ? '' : ' again'}; ${pace}`)
    return
  }
  console.log(`${projection}: build ${build} was tried out, nothing was switched; ${pace}`)
  for (const line of wordsOf(report!, diff === true)) console.log(line)
  console.log(`To switch to it: recount replay ${projection}. To take it away: recount replay ${projection} --drop ${build}`)
}

function wordsOf({ against, tables, examples }: TrialReport, diff: boolean): string[] {
  const changing = tables.filter(({ changed, added, removed }) => changed + added + removed > 0)
  if (changing.length === 0) return [`Nothing would change: all rows are as in build ${against}.`]
  const lines = [`Compared with build ${against}, which is live:`]
  for (const { table, same, changed, added, removed, sums } of changing) {
    lines.push(`  ${table}: ${whole(changed)} rows would change, ${whole(added)} come, ${whole(removed)} go, ${whole(same)} stay`)
    for (const [column, { now, then }] of Object.entries(sums)) lines.push(`    ${column}: ${String(now)} now, ${String(then)} then`)
  }
  return diff ? [...lines, 'For example:', ...examples.map((example) => `  ${example}`)] : lines
}

async function replayAll(config: Config, flags: ReplayFlags): Promise<void> {
  const { keep, threads } = flags
  const wrong = Object.keys(flags).find((flag) => !['json', 'keep', 'threads'].includes(flag))
  if (wrong !== undefined) throw new UsageError(`--${wrong} goes with one projection, not with all`)
  await withStores(config, async ({ log, database, clock, logger }) => {
    const projections = PROJECTIONS.filter(({ source }) => source === 'apps')
    const progress = createProgress(projections.map(({ name }) => name).join(' + '))
    const startedAt = performance.now()
    const onProgress = (now: ReplayProgress): void => progress.update(now.events, now.percent / 100)
    const { builds, events } = await interruptible((signal) =>
      replayTogether({ log, database, clock, logger, projections, keep, onProgress, signal, threads }).finally(() => progress.stop()),
    )
    const seconds = (performance.now() - startedAt) / 1_000
    const eventsPerSecond = Math.round(events / seconds)
    if (flags.json === true) console.log(JSON.stringify({ builds: Object.fromEntries(builds), events, seconds, eventsPerSecond }))
    else console.log(`${[...builds].map(([name, build]) => `${name}: build ${build}`).join(', ')} are live; ${whole(events)} events in ${duration(seconds)}, ${whole(eventsPerSecond)} events/s through all of them`)
  })
}

async function pauseIt({ database }: Stores, { name }: Projection, { json }: ReplayFlags): Promise<void> {
  const halted = await pauseBuilds(database, name)
  if (halted.length === 0) throw new CommandFailed(`no rebuild of ${name} is under way`)
  console.log(json === true ? JSON.stringify({ projection: name, paused: halted }) : `${name}: build ${halted.join(', ')} is paused; run the replay again to go on`)
}

async function dropIt({ database }: Stores, projection: Projection, build: number, { json }: ReplayFlags): Promise<void> {
  const { name } = projection
  const found = await findBuild(database.knex, name, build)
  if (found === undefined || found.appId !== undefined) throw new CommandFailed(`there is no build ${build} of ${name}`)
  if (found.status === 'live' || (found.status === 'building' && !found.paused)) throw new CommandFailed(`build ${build} of ${name} is ${found.status}: switch or pause first`)
  await dropBuild(database, projection, build)
  console.log(json === true ? JSON.stringify({ projection: name, dropped: build }) : `${name}: build ${build} is gone`)
}

/** The first Ctrl-C asks the work to stop; the second ends the process as always. */
async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController()
  const stop = (): void => abort.abort()
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    return await work(abort.signal)
  } catch (error) {
    if (abort.signal.aborted) throw new CommandFailed('stopped; the live build is as it was, and running it again goes on from here', { cause: error })
    if (error instanceof RebuildBusy || error instanceof RebuildPaused || error instanceof NothingKept) throw new CommandFailed(error.message, { cause: error })
    throw error
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}
