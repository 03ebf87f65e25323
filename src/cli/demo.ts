// A demo to look at: requests that a real site served in May 2015, moved by whole days so that the last day is yesterday.
// Loading it again on the same day adds nothing, and on a later day only the days that are not there yet.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Config } from '../config.ts'
import type { AppState } from '../commands/keyring.ts'
import type { Clock } from '../kernel/clock.ts'
import { findOrRegisterApp } from './apps.ts'
import { accessLogEvent } from './formats/accessLog.ts'
import { parseCombined } from './formats/combined.ts'
import { openInput } from './formats/input.ts'
import { createMapping } from './formats/mapping.ts'
import { perLine, type RowReader } from './formats/row.ts'
import { importEvents } from './importEvents.ts'
import { type Stores, withStores } from './stores.ts'

export const DEMO_APP = 'Demo: semicomplete.com'
const SITE = 'http://semicomplete.com'
const FIXTURE = 'test/fixtures/realData/apache_excerpt.log.gz'
const DAY_MS = 86_400_000
const LAST_DAY = Date.UTC(2015, 4, 20)

export interface Demo {
  readonly app: AppState
  readonly stored: number
}

export async function loadDemo(config: Config): Promise<Demo> {
  return withStores(config, (stores) => loadInto(stores))
}

/** Loads into stores that are open. */
export async function loadInto(stores: Stores, clock: Clock = stores.clock): Promise<Demo> {
  const app = await findOrRegisterApp(stores, { name: DEMO_APP, url: SITE })
  const yesterday = Math.floor(clock.now() / DAY_MS) * DAY_MS - DAY_MS
  const meta = metaOf(yesterday)
  const [newest] = await stores.log.browse(app.appId, { limit: 1, type: 'EventCollected' })
  // An earlier load has filled its days with other requests; the same load that broke off is gone through again.
  const fromMs = newest === undefined || newest.meta === meta ? 0 : Math.floor(newest.occurredAt / DAY_MS) * DAY_MS + DAY_MS
  const totals = await importEvents(
    { ...stores, clock },
    {
      ...{ app, meta, input: openInput(fixturePath()) },
      reader: shiftedReader(yesterday - LAST_DAY, fromMs),
      mapping: createMapping({ map: [], set: [], onlyMapped: false }),
      onBad: (number, reason) => stores.logger.warn('a line of the demo is bad', { line: number, reason }),
      onProgress: () => undefined,
    },
  )
  return { app, stored: totals.stored }
}

function metaOf(yesterday: number): string {
  return JSON.stringify({ via: 'demo', until: new Date(yesterday).toISOString().slice(0, 10) })
}

function shiftedReader(shiftMs: number, fromMs: number): RowReader {
  return perLine((text, line, sink) => {
    const parsed = parseCombined(text)
    if (typeof parsed === 'string') {
      sink.bad(line.number, parsed)
      return
    }
    const time = parsed.time + shiftMs
    // The shift belongs to the row, so that its id differs from that of the same line on another day.
    const bytes = Buffer.concat([line.bytes, Buffer.from(` ${shiftMs}`)])
    if (time >= fromMs) sink.row(line.number, bytes, accessLogEvent({ ...parsed, time }, SITE))
  })
}

/** The fixture lies in the checkout, above this file by two folders or, when built, by three. */
function fixturePath(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const path = join(folder, FIXTURE)
    if (existsSync(path)) return path
    if (folder === dirname(folder)) throw new Error(`${FIXTURE} is missing from this installation`)
  }
}
