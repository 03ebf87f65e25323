// `recount bench`: the way of an event from /collect's decision to a counted number, timed on a store that nobody needs.
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCollector } from '../commands/collectEvents.ts'
import { createInProcessQueue } from '../commands/inProcessQueue.ts'
import type { KeyState } from '../commands/keyring.ts'
import { type Config, readConfig } from '../config.ts'
import { findOrRegisterApp } from './apps.ts'
import { countUntilCaughtUp } from './counting.ts'
import { whole } from './progress.ts'
import { type Stores, withStores } from './stores.ts'

export interface BenchResult {
  readonly step: string
  readonly events: number
  readonly seconds: number
  readonly eventsPerSecond: number
}

const EVENTS_PER_REQUEST = 100
const REQUESTS_IN_FLIGHT = 8

export async function runBench({ events, json }: { readonly events: number; readonly json: boolean }): Promise<BenchResult[]> {
  const directory = mkdtempSync(join(tmpdir(), 'recount-bench-'))
  try {
    const results = await withStores(throwAway(directory), (stores) => measured(stores, events))
    if (json) console.log(JSON.stringify({ node: process.version, cpus: cpus().length, results }))
    else console.log(table(results))
    return results
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function throwAway(directory: string): Config {
  return readConfig({ DATA_DIR: directory, RATE_LIMIT: 'off', LOG_LEVEL: 'error' })
}

async function measured(stores: Stores, events: number): Promise<BenchResult[]> {
  const app = await findOrRegisterApp(stores, { name: 'Bench' })
  const stored = await timed('collected and stored', events, () => collect(stores, app.appId, events))
  const counted = await timed('counted (all read models)', events, () => countUntilCaughtUp(stores))
  return [stored, counted]
}

/** Requests of 100 events, as a server-side client would send them, answered after the commit. */
async function collect(stores: Stores, appId: string, events: number): Promise<void> {
  const queue = createInProcessQueue({ ...stores.config, log: stores.log, logger: stores.logger })
  const collector = createCollector({ ...stores, queue })
  let left = events
  const client = async (): Promise<void> => {
    while (left > 0) {
      const size = Math.min(left, EVENTS_PER_REQUEST)
      const first = left
      left -= size
      const body = JSON.parse(JSON.stringify(Array.from({ length: size }, (_, index) => sample(first - index)))) as unknown
      const receivedAt = stores.clock.now()
      const request = { viaPublicKey: false, ackStored: true, browser: false, address: undefined, userAgent: undefined }
      await collector.collect({ body, key: keyOf(appId), receivedAt, ...request })
    }
  }
  await Promise.all(Array.from({ length: REQUESTS_IN_FLIGHT }, client))
  await queue.close()
}

function sample(number: number): Record<string, unknown> {
  return {
    event: number % 5 === 0 ? 'signup' : 'pageview',
    url: `https://example.com/products/${number % 500}?utm_source=news`,
    referrer: 'https://search.example/',
    anonymousId: `visitor-${number % 5_000}`,
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
    metadata: { plan: 'team', seats: number % 20 },
  }
}

function keyOf(appId: string): KeyState {
  return {
    ...{ keyId: appId, appId, issuedBy: appId, name: 'Bench', scopes: ['collect'], writeKeyHash: '', writeKeyHint: '' },
    ...{ expiresAt: undefined, allowedOrigins: undefined, requestsPerMinute: undefined, replacedBy: undefined, revoked: false, createdAt: 0 },
  }
}

async function timed(step: string, events: number, work: () => Promise<unknown>): Promise<BenchResult> {
  const startedAt = performance.now()
  await work()
  const seconds = (performance.now() - startedAt) / 1_000
  return { step, events, seconds: Math.round(seconds * 1_000) / 1_000, eventsPerSecond: Math.round(events / seconds) }
}

function table(results: readonly BenchResult[]): string {
  const rows = results.map(({ step, events, seconds, eventsPerSecond }) => [step, whole(events), seconds.toFixed(2), whole(eventsPerSecond)])
  const all = [['step', 'events', 'seconds', 'events/s'], ...rows]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]!.length)))
  const lines = all.map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '))
  return [`embedded store (SQLite), Node ${process.version}, ${cpus().length} cores`, '', ...lines].join('\n')
}
