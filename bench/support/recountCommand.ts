// The `recount` command as its users run it, compiled, with what it used.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { watchUse } from './cpuTime.ts'

const ROOT = join(import.meta.dirname, '../..')
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export interface Ran<T> {
  /** Of its --json. */
  readonly result: T
  readonly cpuSeconds: number
  readonly peakMb: number
  /** From its start to its end. */
  readonly seconds: number
}

/** Builds the program once in this process, unless RECOUNT_TEST_BUILT=1 says that dist/ is fresh. */
export function ensureBuiltOnce(): void {
  if (process.env['RECOUNT_TEST_BUILT'] !== '1') execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: 'inherit' })
  process.env['RECOUNT_TEST_BUILT'] = '1'
}

/** Throws when it ends with anything but 0. */
export async function recount<T>(databaseUrl: string, args: readonly string[], more: Record<string, string> = {}): Promise<Ran<T>> {
  ensureBuiltOnce()
  const env = { PATH: process.env['PATH'], DATABASE_URL: databaseUrl, JWT_SECRET: 'a secret of this benchmark alone, 32 bytes', ...more }
  const started = performance.now()
  const child = spawn(process.execPath, [join(ROOT, 'bin/recount.js'), ...args, '--json'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  running.add(child)
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  const use = watchUse(child.pid!)
  const [code] = (await once(child, 'close')) as [number | null]
  const { cpuMs, peakMb } = use.stop()
  running.delete(child)
  if (code !== 0) throw new Error(`recount ${args.join(' ')} ended with ${code ?? 'a signal'}`)
  return { result: JSON.parse(out) as T, cpuSeconds: cpuMs / 1_000, peakMb, seconds: (performance.now() - started) / 1_000 }
}
