// /collect answered after Redis (appendfsync always), API alone: singles and batches against bare node:http and Express of the
// same run, in turns; latency at half of each one's own peak; two API processes against one.
// `npx tsx bench/collect.ts [--rounds 3] [--seconds 5] [--only singles,batches,concurrency]`
import { Redis } from 'ioredis'
import { freePort } from '../test/support/serverProcess.ts'
import { startBaseline } from './support/baselineServers.ts'
import { benchFlags, Rounds, runBench } from './support/benchRun.ts'
import { mainThreadMs } from './support/cpuTime.ts'
import type { Row } from './support/rows.ts'
import { startStack } from './support/stack.ts'
import { type Load, type Measured, refuseFailures, wrk } from './support/wrk.ts'

const flags = benchFlags({ seconds: { type: 'string' }, only: { type: 'string' } })
const SECONDS = Number(flags.seconds ?? (flags.quick ? 2 : 5))
const BATCHES = [10, 100, 500]
/** Connections: so many that nothing waits for Redis to flush but what a request costs is the bound. */
const MANY = 256
const BARE = 'bare node:http'
const EXPRESS = 'bare Express 5'
const EVENT = {
  event: 'pageview',
  url: 'https://example.com/pricing?utm_source=newsletter',
  referrer: 'https://www.example.org/',
  title: 'Pricing',
  anonymousId: 'b2d8c1f4-9a63-4b8c-8f0e-2f7f6f9d3c11',
  screen: '1920x1080',
  language: 'en-GB',
  metadata: { plan: 'team', seats: 12, experiment: 'b' },
}

await runBench(flags, async () => {
  const [bare, express, stack] = [await baseline('bareServer'), await baseline('expressServer'), await startStack([])]
  const redis = new Redis(stack.redisUrl)
  const port = String(await freePort())
  const measured = new Rounds()
  const single: Omit<Load, 'url'> = { body: JSON.stringify(EVENT), token: stack.app.token, connections: 64, seconds: SECONDS }
  const ours = { url: `${stack.api.url}/collect`, pid: stack.api.pid }
  const wanted = (part: string): boolean => flags.only === undefined || flags.only.split(',').includes(part)

  /** Nobody appends here, and a queue that has grown is not what the next one should meet. */
  const run = async (load: Load): Promise<Measured> => {
    const result = await wrk(load)
    refuseFailures(result)
    await redis.flushall()
    return result
  }

  async function singles(): Promise<void> {
    for (const [name, { url, pid }] of [[BARE, bare], [EXPRESS, express], ['collect', ours]] as const) {
      const spent = mainThreadMs(pid)
      const peak = await run({ ...single, url })
      measured.add(name, peak.perSecond)
      measured.add(`${name}, main thread`, (peak.requests * 1_000) / (mainThreadMs(pid) - spent))
      measured.add(`${name}, load`, peak.loadUs)
      measured.add(`${name}, many`, (await run({ ...single, url, connections: MANY })).perSecond)
      // wrk pauses after each answer: with few connections the pauses alone would be shorter than a slow answer, and the rate never offered.
      const steady = await run({ ...single, url, connections: MANY, rate: peak.perSecond / 2 })
      measured.add(`${name}, p50`, steady.p50Ms)
      measured.add(`${name}, p99`, steady.p99Ms)
      measured.add(`${name}, steady`, steady.perSecond)
    }
  }

  async function batches(): Promise<void> {
    for (const size of BATCHES) {
      const load = { ...single, body: JSON.stringify(Array.from({ length: size }, () => EVENT)), connections: 16 }
      measured.add(`${BARE} ${size}`, (await run({ ...load, url: bare.url })).perSecond * size)
      measured.add(`collect ${size}`, (await run({ ...load, url: ours.url })).perSecond * size)
    }
  }

  async function concurrency(): Promise<void> {
    measured.add('one', (await run({ ...single, url: ours.url })).perSecond)
    measured.add('two', (await run({ ...single, url: `http://127.0.0.1:${port}/collect` })).perSecond)
  }

  try {
    for (const { url } of [bare, express, ours]) await run({ ...single, url, seconds: 2 })
    if (wanted('singles')) for (let round = 0; round < Number(flags.rounds); round++) await singles()
    if (wanted('batches')) for (let round = 0; round < Number(flags.rounds); round++) await batches()
    if (wanted('concurrency')) {
      await stack.start('api', { WEB_CONCURRENCY: '2', PORT: port })
      await run({ ...single, url: `http://127.0.0.1:${port}/collect`, seconds: 2 })
      for (let round = 0; round < Number(flags.rounds); round++) await concurrency()
    }
  } finally {
    redis.disconnect()
    await stack.stop()
  }
  return [...(wanted('singles') ? singleRows(measured) : []), ...(wanted('batches') ? BATCHES.map((size) => batchRow(measured, size)) : []), ...(wanted('concurrency') ? [concurrencyRow(measured)] : [])]
})

async function baseline(file: 'bareServer' | 'expressServer'): Promise<{ url: string; pid: number }> {
  const { url, pid } = await startBaseline(file)
  return { url: `${url}/collect`, pid }
}

function singleRows(measured: Rounds): Row[] {
  const rate = { unit: 'requests/s', better: 'higher' } as const
  const latency = { unit: 'ms', better: 'lower' } as const
  const us = (name: string): string => measured.of(`${name}, load`).at(-1)!.toFixed(0)
  const steady = (name: string): string => `${measured.of(`${name}, steady`).at(-1)!}/s`
  return [
    { name: 'collect, singles', ...rate, rounds: measured.of('collect'), baseline: measured.as(BARE), target: { of: 'ratio', atLeast: 0.6 }, note: `load generator ${us('collect')} µs a request, ${us(BARE)} at the baseline` },
    { name: 'collect, singles, of Express', ...rate, rounds: measured.of('collect'), baseline: measured.as(EXPRESS), target: { of: 'ratio', atLeast: 3.5 } },
    { name: `collect, singles, ${MANY} connections`, ...rate, rounds: measured.of('collect, many'), baseline: measured.as(BARE, `${BARE}, many`) },
    { name: `collect, singles, ${MANY} connections, of Express`, ...rate, rounds: measured.of('collect, many'), baseline: measured.as(EXPRESS, `${EXPRESS}, many`) },
    { name: 'collect, singles, by main thread', unit: 'requests/s of its time', better: 'higher', rounds: measured.of('collect, main thread'), baseline: measured.as(BARE, `${BARE}, main thread`) },
    { name: 'collect, singles, p50 at half its peak', ...latency, rounds: measured.of('collect, p50'), baseline: measured.as(BARE, `${BARE}, p50`), note: `${steady('collect')}, ${steady(BARE)} at the baseline` },
    { name: 'collect, singles, p99 at half its peak', ...latency, rounds: measured.of('collect, p99'), baseline: measured.as(BARE, `${BARE}, p99`), target: { of: 'value', atMost: 15 } },
    { name: 'Express, singles, p99 at half its peak', ...latency, rounds: measured.of(`${EXPRESS}, p99`), baseline: measured.as(BARE, `${BARE}, p99`), note: `${steady(EXPRESS)}; for comparison` },
  ]
}

function batchRow(measured: Rounds, size: number): Row {
  return { name: `collect, batches of ${size}`, unit: 'events/s', better: 'higher', rounds: measured.of(`collect ${size}`), baseline: measured.as(BARE, `${BARE} ${size}`) }
}

function concurrencyRow(measured: Rounds): Row {
  return { name: 'collect, WEB_CONCURRENCY=2', unit: 'requests/s', better: 'higher', rounds: measured.of('two'), baseline: measured.as('WEB_CONCURRENCY=1', 'one'), target: { of: 'ratio', atLeast: 1.25 } }
}
