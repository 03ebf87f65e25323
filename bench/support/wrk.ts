// Load by wrk (apt-get install wrk): far cheaper than a generator in Node, so the cores go to what is measured.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface Load {
  readonly url: string
  readonly body: string
  readonly token: string
  readonly connections: number
  readonly seconds: number
  /** Requests per second offered; unbounded unless given. */
  readonly rate?: number
}

export interface Measured {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Answers that were not 2xx or 3xx, and connections that broke. */
  readonly errors: number
}

export async function wrk({ url, body, token, connections, seconds, rate }: Load): Promise<Measured> {
  const directory = mkdtempSync(join(tmpdir(), 'recount-wrk-'))
  const script = join(directory, 'post.lua')
  // Each connection pauses so that together they offer the rate, as far as answers allow; wrk has no open loop.
  const delay = rate === undefined ? '' : `function delay() return math.random() * 2 * ${(connections / rate) * 1_000} end\n`
  writeFileSync(
    script,
    `wrk.method = "POST"\nwrk.headers["content-type"] = "application/json"\nwrk.headers["authorization"] = "Bearer ${token}"\nwrk.body = [==[${body}]==]\n${delay}` +
      'function done(summary, latency)\n' +
      '  local e = summary.errors\n' +
      '  io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), e.status + e.connect + e.read + e.write + e.timeout))\n' +
      'end\n',
  )
  try {
    const { stdout } = await promisify(execFile)('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, url])
    const result = /^RESULT (\d+) (\d+) (\d+) (\d+) (\d+)$/m.exec(stdout)
    if (result === null) throw new Error(`wrk said:\n${stdout}`)
    const [requests, durationUs, p50Us, p99Us, errors] = result.slice(1).map(Number)
    return { perSecond: Math.round(requests! / (durationUs! / 1e6)), p50Ms: p50Us! / 1_000, p99Ms: p99Us! / 1_000, errors: errors! }
  } finally {
    rmSync(directory, { recursive: true })
  }
}
