// Starts the servers that /collect is measured against.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface BaselineServer {
  readonly url: string
  readonly pid: number
  stop(): void
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Ends with this process. */
export async function startBaseline(file: 'bareServer' | 'expressServer'): Promise<BaselineServer> {
  const path = fileURLToPath(new URL(`${file}.ts`, import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', path], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_ENV: 'production' } })
  running.add(child)
  const [port] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => Promise.reject(new Error(`${file} ended before it listened`)))])) as [Buffer]
  return { url: `http://127.0.0.1:${port.toString().trim()}`, pid: child.pid!, stop: () => void child.kill('SIGKILL') }
}

/** Milliseconds from the start of a plain Node process to where its HTTP server listens. */
export async function startBare(): Promise<number> {
  const started = performance.now()
  const program = "require('node:http').createServer(() => undefined).listen(0, '127.0.0.1', () => process.stdout.write('listens'))"
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  running.add(child)
  await once(child.stdout, 'data')
  const tookMs = performance.now() - started
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
  running.delete(child)
  return tookMs
}
