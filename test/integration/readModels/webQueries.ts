// One app in one zone with a history that tests write down, and the questions of web analytics about it. Whatever tables
// answer is asked of the log as well, and has to be the same.
import assert from 'node:assert/strict'
import type { EventCollected } from '../../../src/events/eventCollected.ts'
import { uuidv5, uuidv7 } from '../../../src/kernel/ids.ts'
import { silentLogger } from '../../../src/kernel/logger.ts'
import type { Projection } from '../../../src/projections/projection.ts'
import { web as webModel } from '../../../src/projections/web/web.ts'
import { breakdown } from '../../../src/queries/breakdown.ts'
import { createQueryBus } from '../../../src/queries/bus.ts'
import { answerFromLog } from '../../../src/queries/fromLog/logAnswer.ts'
import { createMemoryCache } from '../../../src/queries/memoryCache.ts'
import { overview } from '../../../src/queries/overview.ts'
import type { Query, Snapshot } from '../../../src/queries/query.ts'
import type { Bots, BreakdownResult, OverviewResult, TimeseriesResult } from '../../../src/queries/stats.ts'
import { timeseries } from '../../../src/queries/timeseries.ts'
import { type Driver, type Engine, openDriver } from './driver.ts'

export const web = webModel as Projection
export const BOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'

type Params = Readonly<Record<string, unknown>>
export interface Told {
  readonly range: { readonly from: string; readonly to: string; readonly timezone: string }
  readonly from: 'tables' | 'log'
}

export interface Site {
  readonly appId: string
  /** An event at a time, as if local or with an offset; fields as collected, `anonymousId: who` unless they say who. */
  event(at: string, who: string | undefined, data?: Partial<EventCollected>): void
  /** A pageview of a path. */
  view(at: string, who: string | undefined, path: string, data?: Partial<EventCollected>): void
  overview(params?: Params): Promise<OverviewResult & Told>
  timeseries(params: Params): Promise<TimeseriesResult & Told>
  breakdown(params: Params): Promise<BreakdownResult & Told>
}

export interface Stage {
  readonly driver: Driver
  /** `declared`: metadata keys that were made dimensions before the first event. */
  site(timezone?: string, declared?: readonly string[]): Promise<Site>
  close(): Promise<void>
}

export async function openStage(engine: Engine, now: string): Promise<Stage> {
  const driver = await openDriver(engine)
  const build = await driver.build(web)
  const bus = createQueryBus({ database: driver.database, log: driver.log, cache: createMemoryCache(), clock: { now: () => Date.parse(now) }, logger: silentLogger })
  const site = async (timezone = 'UTC', declared: readonly string[] = []): Promise<Site> => {
    const appId = uuidv7()
    await driver.register(appId, timezone)
    await declare(driver, appId, declared)
    let pending: { id: string; appId: string; at: number; data: EventCollected }[] = []
    let count = 0
    const event: Site['event'] = (at, who, data = {}) => {
      const whole: EventCollected = { event: 'click', ...(who === undefined ? {} : { anonymousId: who }), ...data }
      pending.push({ id: uuidv5(appId, String(count++)), appId, at: Date.parse(at), data: whole })
    }
    const ask = async <Result>(query: Query<never, unknown>, params: Params = {}): Promise<Result & Told> => {
      if (pending.length > 0) {
        await driver.collect(pending)
        pending = []
        await driver.fold(web, build)
      }
      const { body } = await bus.ask(query, appId, params)
      if (body['from'] === 'tables') await sameFromLog(driver, query, appId, params, body)
      return body as Result & Told
    }
    return {
      appId,
      event,
      view: (at, who, path, data = {}) => event(at, who, { event: 'pageview', url: `https://example.com${path}`, ...data }),
      overview: (params) => ask(overview, params),
      timeseries: (params) => ask(timeseries, params),
      breakdown: (params) => ask(breakdown, params),
    }
  }
  return { driver, site, close: () => driver.close() }
}

function declare(driver: Driver, appId: string, keys: readonly string[]): Promise<void> {
  const common = { appId, type: 'DimensionDefined', schemaVersion: 1, occurredAt: 0, meta: null, stream: `definitions:${appId}` }
  return driver.append(keys.map((key) => ({ ...common, eventId: uuidv7(), data: JSON.stringify({ definitionId: uuidv7(), revision: 1, spec: { key } }) })))
}

async function sameFromLog({ log }: Driver, query: Query<never, unknown>, appId: string, params: Params, body: Record<string, unknown>): Promise<void> {
  const { range, asOf } = body as { range: Told['range']; asOf: { position: number } }
  const told = Object.fromEntries(Object.entries(body).filter(([name]) => !['range', 'from', 'asOf', 'comparison'].includes(name)))
  const bounds = { fromMs: Date.parse(range.from), toMs: Date.parse(range.to), timezone: range.timezone }
  const asked = { appId, range: bounds, bots: (params['bots'] as Bots | undefined) ?? query.stats!.bots }
  const question = await query.stats!.question(params as never, asked, {} as Snapshot)
  const { result } = await answerFromLog(log, question, { upTo: asOf.position })
  assert.deepEqual(told, result, 'tables and log do not answer the same')
}
