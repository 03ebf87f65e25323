// /collect, one event a request, 64 connections, Redis appendfsync always, answered after Redis: requests per second against
// bare node:http in the same run, and latency at 10,000 requests per second.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
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

/** Processor time of a process in milliseconds: tells what a request costs even where other programs share the cores. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

async function costed(load: Load, pid: number): Promise<Measured & { cpuUs: number }> {
  const before = cpuMs(pid)
  const measured = await wrk(load)
  return { ...measured, cpuUs: ((cpuMs(pid) - before) * 1_000) / (measured.perSecond * load.seconds) }
}

const bare = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('support/bareServer.ts', import.meta.url))], { stdio: ['ignore', 'pipe', 'inherit'] })
const [port] = (await once(bare.stdout, 'data')) as [Buffer]
const stack = await startStack([])
try {
  const load = { body: BODY, token: stack.app.token, connections: 64, seconds: SECONDS }
  const collect: Load = { ...load, url: `${stack.api.url}/collect` }
  const ceiling: Load = { ...load, url: `http://127.0.0.1:${port.toString().trim()}/collect` }
  for (const target of [ceiling, collect]) await wrk({ ...target, seconds: 3 })
  const rounds = []
  for (let round = 0; round < ROUNDS; round++) {
    const [most, reached] = [await costed(ceiling, bare.pid!), await costed(collect, stack.api.pid)]
    rounds.push(reached.perSecond / most.perSecond)
    console.log(`bare ${most.perSecond}/s · /collect ${reached.perSecond}/s, p50 ${reached.p50Ms} ms, p99 ${reached.p99Ms} ms, ${reached.errors} errors · ${rounds.at(-1)!.toFixed(2)} of bare · processor time a request ${most.cpuUs.toFixed(0)} and ${reached.cpuUs.toFixed(0)} µs`)
  }
  const steady = await wrk({ ...collect, rate: 10_000 })
  console.log(`offered 10,000/s: ${steady.perSecond}/s, p50 ${steady.p50Ms} ms, p99 ${steady.p99Ms} ms, ${steady.errors} errors`)
  console.log(`median ${rounds.sort()[ROUNDS >> 1]!.toFixed(2)} of bare node:http (target 0.5); p99 at 10,000/s ${steady.p99Ms} ms (target under 15)`)
} finally {
  bare.kill()
  await stack.stop()
}
