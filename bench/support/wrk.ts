// Load by wrk (apt-get install wrk): far cheaper than a generator in Node, so the cores go to what is measured.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { watchUse } from './cpuTime.ts'

export interface Load {
  readonly url: string
  /** The body of every request; with `requests`, what their Lua makes of each. */
  readonly body: string
  readonly token: string
  readonly connections: number
  readonly seconds: number
  /** Requests per second offered; unbounded unless given. */
  readonly rate?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Lua that defines `request()`; it runs for every request, so it must only pick what `init` has made. */
  readonly requests?: string
}

export interface Measured {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Answers that were not 2xx or 3xx, connections that broke, and what took longer than ten seconds. */
  readonly errors: number
  /** The same in words, by kind. */
  readonly failures: string
  readonly requests: number
  /** Processor time of the load generator itself, for each request: how much of the machine it took. */
  readonly loadUs: number
}

const ERROR_KINDS = ['not 2xx', 'not connected', 'broken while reading', 'broken while writing', 'timed out']

/** Throws where any request of these failed: a rate of refusals is no rate. */
export function refuseFailures(...all: readonly Measured[]): void {
  const failed = all.filter(({ errors }) => errors > 0)
  if (failed.length > 0) throw new Error(`requests failed: ${failed.map(({ failures }) => failures).join('; ')}`)
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export async function wrk({ url, body, token, connections, seconds, rate, headers = {}, requests = '' }: Load): Promise<Measured> {
  const script = join(scratchDirectory('wrk'), 'post.lua')
  // Each connection pauses so that together they offer the rate, as far as answers allow; wrk has no open loop.
  const delay = rate === undefined ? '' : `function delay() return math.random() * 2 * ${(connections / rate) * 1_000} end\n`
  const all = { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers }
  writeFileSync(
    script,
    `wrk.method = "POST"\n${Object.entries(all).map(([name, value]) => `wrk.headers["${name}"] = [==[${value}]==]\n`).join('')}wrk.body = [==[${body}]==]\n${delay}${requests}\n` +
      'function done(summary, latency)\n' +
      '  local e = summary.errors\n' +
      '  io.write(string.format("RESULT %d %d %d %d %d %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), e.status, e.connect, e.read, e.write, e.timeout))\n' +
      'end\n',
  )
  const { out, cpu } = await run(['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script, url])
  const result = /^RESULT( \d+){9}$/m.exec(out)
  if (result === null) throw new Error(`wrk said:\n${out}`)
  const [count, durationUs, p50Us, p99Us, ...kinds] = result[0].split(' ').slice(1).map(Number)
  const errors = kinds.reduce((sum, each) => sum + each, 0)
  const failures = ERROR_KINDS.map((kind, at) => `${kinds[at]!} ${kind}`).join(', ')
  return { perSecond: Math.round(count! / (durationUs! / 1e6)), p50Ms: p50Us! / 1_000, p99Ms: p99Us! / 1_000, errors, failures, requests: count!, loadUs: (cpu * 1_000) / count! }
}

async function run(args: readonly string[]): Promise<{ out: string; cpu: number }> {
  const child = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  running.add(child)
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  const use = watchUse(child.pid!)
  try {
    await once(child, 'close')
  } finally {
    running.delete(child)
  }
  return { out, cpu: use.stop().cpuMs }
}
