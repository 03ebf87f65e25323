// Runs benches as processes and collects their rows; whatever ends this process ends them, and they their servers.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { argsOf, type Bench, BENCHES } from './benches.ts'
import type { BenchRun } from './compareRuns.ts'
import { hardware, hardwareLine, loadAverage } from './hardware.ts'
import { type Row, tableOf } from './rows.ts'

const BENCH_DIRECTORY = join(import.meta.dirname, '..')
const BENCH_TIMEOUT_MS = 15 * 60_000
const STOP_TIMEOUT_MS = 10_000

let running: ChildProcess | undefined
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    // It ends its servers itself, which takes it a moment; this process goes when it has gone.
    running?.once('exit', () => process.exit(130))
    if (running?.kill(signal) !== true) process.exit(130)
    setTimeout(() => process.exit(130), STOP_TIMEOUT_MS).unref()
  })
}
process.once('exit', () => running?.kill('SIGKILL'))

/** Runs bench/<file> to its end; resolves with its exit code, 1 after a signal or too long a time. */
export async function runProgram(file: string, args: readonly string[], timeoutMs = Infinity): Promise<number> {
  const child = spawn(process.execPath, ['--import', 'tsx', join(BENCH_DIRECTORY, file), ...args], { stdio: 'inherit' })
  running = child
  const timer = timeoutMs === Infinity ? undefined : setTimeout(() => child.kill('SIGTERM'), timeoutMs)
  const [code] = (await once(child, 'exit')) as [number | null]
  clearTimeout(timer)
  running = undefined
  return code ?? 1
}

export interface RunOptions {
  readonly rounds: number
  readonly quick: boolean
  /** Names of benches; all when undefined. */
  readonly only: readonly string[] | undefined
  /** Where the result goes. */
  readonly json: string | undefined
}

/** Resolves with whether any bench failed; the others' rows are told all the same. */
export async function runAll({ rounds, quick, only, json }: RunOptions): Promise<boolean> {
  const startedAt = new Date()
  const [machine, before] = [hardware(), loadAverage()]
  console.log(hardwareLine(machine))
  console.log(`load ${before} before, ${rounds} rounds${quick ? ', quick' : ''}\n`)
  const [rows, failed]: [Row[], { bench: string; why: string }[]] = [[], []]
  for (const bench of BENCHES.filter(({ name }) => only === undefined || only.includes(name))) {
    const result = await runBenchProgram(bench, { rounds, quick })
    if (typeof result === 'string') failed.push({ bench: bench.name, why: result })
    else rows.push(...result)
  }
  const seconds = Math.round((Date.now() - startedAt.getTime()) / 1_000)
  const run: BenchRun = { hardware: machine, load: { before, after: loadAverage() }, startedAt: startedAt.toISOString(), seconds, options: { rounds, quick }, rows, failed }
  const path = json ?? join(BENCH_DIRECTORY, 'results', `${startedAt.toISOString().replaceAll(':', '-').slice(0, 19)}.json`)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify(run, null, 2)}\n`)
  console.log(`\n${hardwareLine(machine)}\nload ${before} before, ${run.load.after} after; ${seconds} s\n\n${tableOf(rows)}\n`)
  for (const { bench, why } of failed) console.log(`${bench} FAILED: ${why}`)
  console.log(`written to ${path}`)
  return failed.length > 0
}

/** Its rows, or why there are none. */
async function runBenchProgram(bench: Bench, options: { readonly rounds: number; readonly quick: boolean }): Promise<Row[] | string> {
  const file = join(scratchDirectory('rows'), 'rows.json')
  const started = Date.now()
  process.stdout.write(`${bench.name} … `)
  const code = await runProgram(bench.file, [...argsOf(bench, options), '--json', file], BENCH_TIMEOUT_MS)
  const seconds = Math.round((Date.now() - started) / 1_000)
  console.log(code === 0 ? `${seconds} s` : `failed after ${seconds} s`)
  if (code !== 0) return `it ended with ${code} after ${seconds} s; its words stand above`
  const rows = JSON.parse(readFileSync(file, 'utf8')) as unknown
  return isRows(rows) ? rows : 'what it wrote is no list of rows'
}

/** One bench that speaks otherwise must not cost the others their table. */
function isRows(value: unknown): value is Row[] {
  return Array.isArray(value) && value.every((row: Partial<Row> | null) => typeof row?.name === 'string' && typeof row.unit === 'string' && Array.isArray(row.rounds))
}
