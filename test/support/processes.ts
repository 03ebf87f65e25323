// Recount as its users run it: real processes on real ports, awaited by the line they print when
// ready, and killed without mercy where a test says so.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createInterface } from 'node:readline'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
// Under `npm test` the program has just been built; a suite run by hand takes the source, which starts slower but is never old.
export const PROGRAM = process.env['RECOUNT_TEST_BUILT'] === '1' ? [join(ROOT, 'bin/recount.js')] : ['--import', 'tsx', join(ROOT, 'src/cli/main.ts')]
const START_TIMEOUT_MS = 120_000

export interface RecountProcess {
  readonly pid: number
  /** Where it listens, without a trailing slash. */
  readonly url: string
  /** Everything it wrote to standard error so far. */
  log(): string
  /** kill -9, resolved when the operating system has reaped it. */
  kill9(): Promise<void>
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
  readonly exited: Promise<number | null>
  readonly child: ChildProcess
}

export interface ProcessOptions {
  /** URLs of JavaScript modules loaded before the program ; with any, there is an IPC channel to talk to them. */
  readonly preloads?: readonly string[]
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts one role and waits until it says that it is ready; fails with its output when it ends before. */
export async function startProcess(role: string, env: Record<string, string>, { preloads = [] }: ProcessOptions = {}): Promise<RecountProcess> {
  const imports = preloads.flatMap((module) => ['--import', module])
  const child = spawn(process.execPath, [...imports, ...PROGRAM, 'serve', '--role', role], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], PORT: '0', RATE_LIMIT: 'off', ...env },
    stdio: ['ignore', 'ignore', 'pipe', ...(preloads.length === 0 ? [] : ['ipc' as const])],
  })
  running.add(child)
  const lines: string[] = []
  const exited = once(child, 'exit').then(([code]) => {
    running.delete(child)
    return code as number | null
  })
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${role} did not get ready:\n${lines.join('\n')}`)), START_TIMEOUT_MS)
    createInterface({ input: child.stderr! }).on('line', (line) => {
      lines.push(line)
      const ready = readyUrl(line)
      if (ready === undefined) return
      clearTimeout(timer)
      resolve(ready)
    })
    void exited.then((code) => {
      clearTimeout(timer)
      reject(new Error(`${role} ended with ${code ?? 'a signal'} before it was ready:\n${lines.join('\n')}`))
    })
  })
  const signal = async (name: NodeJS.Signals): Promise<number | null> => {
    child.kill(name)
    return exited
  }
  return {
    pid: child.pid!,
    url,
    log: () => lines.join('\n'),
    kill9: async () => {
      await signal('SIGKILL')
    },
    stop: () => signal('SIGTERM'),
    exited,
    child,
  }
}

function readyUrl(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined
  const entry = JSON.parse(line) as { message?: string; url?: string }
  return entry.message === 'ready' ? entry.url : undefined
}
