// /collect, one event a request, 64 connections, Redis appendfsync always, answered after Redis: requests per second against
// bare node:http in the same run, and latency at 10,000 requests per second.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { cpuMs, mainThreadMs } from './support/cpuTime.ts'
import { startStack } from './support/stack.ts'
import { type Load, type Measured, wrk } from './support/wrk.ts'

const SECONDS = Number(process.argv[2] ?? 8)
const ROUNDS = 3
const BODY = JSON.stringify({
  event: 'pageview',
  url: 'https://example.com/pricing?utm_source=newsletter',
  referrer: 'https://www.example.org/',
  title: 'Pricing',
  anonymousId: 'b2d8c1f4-9a63-4b8c-8f0e-2f7f6f9d3c11',
  screen: '1920x1080',
  language: 'en-GB',
  metadata: { plan: 'team', seats: 12, experiment: 'b' },
})

interface Costed extends Measured {
  /** Of its process, and of that process' main thread, for each request. */
  readonly cpuUs: number
  readonly mainUs: number
}

async function costed(load: Load, pid: number): Promise<Costed> {
  const [all, main] = [cpuMs(pid), mainThreadMs(pid)]
  const measured = await wrk(load)
  const each = (ms: number): number => (ms * 1_000) / (measured.perSecond * load.seconds)
  return { ...measured, cpuUs: each(cpuMs(pid) - all), mainUs: each(mainThreadMs(pid) - main) }
}

const median = (values: number[]): string => values.sort((a, b) => a - b)[values.length >> 1]!.toFixed(2)

async function compare(what: string): Promise<void> {
  const rates: number[] = []
  const costs: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const [most, reached] = [await costed(ceiling, bare.pid!), await costed(collect, stack.api.pid)]
    rates.push(reached.perSecond / most.perSecond)
    costs.push(most.mainUs / reached.mainUs)
    console.log(
      `${what}: bare ${most.perSecond}/s · /collect ${reached.perSecond}/s, p50 ${reached.p50Ms} ms, p99 ${reached.p99Ms} ms, ${reached.errors} errors · main thread ${most.mainUs.toFixed(0)} and ${reached.mainUs.toFixed(0)} µs a request, all threads ${most.cpuUs.toFixed(0)} and ${reached.cpuUs.toFixed(0)}`,
    )
  }
  console.log(`${what}: median ${median(rates)} of bare node:http by requests (target 0.5), ${median(costs)} by processor time of the main thread`)
}

const bare = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('support/bareServer.ts', import.meta.url))], { stdio: ['ignore', 'pipe', 'inherit'] })
const [port] = (await once(bare.stdout, 'data')) as [Buffer]
const stack = await startStack([])
const load = { body: BODY, token: stack.app.token, connections: 64, seconds: SECONDS }
const collect: Load = { ...load, url: `${stack.api.url}/collect` }
const ceiling: Load = { ...load, url: `http://127.0.0.1:${port.toString().trim()}/collect` }
try {
  for (const target of [ceiling, collect]) await wrk({ ...target, seconds: 3 })
  await compare('API alone')
  // wrk pauses after each answer: with few connections the pauses alone would be shorter than a slow answer, and the rate never offered.
  const steady = await wrk({ ...collect, connections: 256, rate: 10_000 })
  console.log(`offered 10,000/s: ${steady.perSecond}/s, p50 ${steady.p50Ms} ms, p99 ${steady.p99Ms} ms, ${steady.errors} errors`)
  for (const role of ['append', 'project']) await stack.start(role)
  await compare('full stack')
} finally {
  bare.kill()
  await stack.stop()
}
