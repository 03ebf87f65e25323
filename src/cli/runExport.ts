// `recount export`: streams stored events as lines, page by page, up to the heads as they were at the start, so that an
// export is one moment of the store and its memory does not depend on its length.
import { createWriteStream } from 'node:fs'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Config } from '../config.ts'
import type { EventLog, StoredEvent } from '../events/eventLog.ts'
import { LIMITS } from '../limits.ts'
import { findApp } from './apps.ts'
import { exportLine } from './exportLine.ts'
import { createProgress, type Progress, whole } from './progress.ts'
import { withStores } from './stores.ts'

export interface ExportOptions {
  /** Id or name; everything when undefined. */
  readonly app: string | undefined
  readonly out: string | undefined
}

/** Answers how many events were written. */
export async function runExport(config: Config, { app, out }: ExportOptions): Promise<number> {
  return withStores(config, async ({ log, keyring }) => {
    const pages = app === undefined ? everything(log) : appPages(log, findApp({ keyring }, app).appId)
    const progress = createProgress('exporting')
    let events = 0
    const counted = async function* (): AsyncGenerator<string, void, undefined> {
      for await (const page of pages) {
        events += page.events.length
        progress.update(events, page.fraction)
        yield page.events.map((event) => `${exportLine(event)}\n`).join('')
      }
    }
    await write(counted(), out).finally(() => progress.stop())
    const said: Progress['line'] = (text) => process.stderr.write(`${text}\n`)
    said(`exported ${whole(events)} events`)
    return events
  })
}

async function write(lines: AsyncGenerator<string, void, undefined>, out: string | undefined): Promise<void> {
  const source = Readable.from(lines, { objectMode: false })
  if (out === undefined) {
    await pipeline(source, process.stdout as Writable, { end: false })
  } else if (out.endsWith('.gz')) {
    await pipeline(source, createGzip(), createWriteStream(out))
  } else {
    await pipeline(source, createWriteStream(out))
  }
}

interface Page {
  readonly events: readonly StoredEvent[]
  /** How much of the whole is done with this page. */
  readonly fraction: number | undefined
}

async function* everything(log: EventLog): AsyncGenerator<Page, void, undefined> {
  const heads = await log.heads()
  const total = heads.reduce((sum, { position }) => sum + position, 0)
  let done = 0
  for (const { partition, position: last } of [...heads].sort((left, right) => left.partition - right.partition)) {
    const read = (after: number, limit: number): Promise<StoredEvent[]> => log.read(partition, after, limit)
    for await (const events of pagesUpTo(last, read)) {
      done += events.length
      yield { events, fraction: done / total }
    }
  }
}

/** What was decided about the app first: an import needs it before the app's events. */
async function* appPages(log: EventLog, appId: string): AsyncGenerator<Page, void, undefined> {
  const { position: last } = await log.head(log.partitionOf(appId))
  yield { events: await log.readStream(0, `app:${appId}`), fraction: undefined }
  const read = (after: number, limit: number): Promise<StoredEvent[]> => log.readApp(appId, after, limit)
  for await (const events of pagesUpTo(last, read)) yield { events, fraction: events.at(-1)!.position / last }
}

async function* pagesUpTo(
  last: number,
  read: (after: number, limit: number) => Promise<StoredEvent[]>,
): AsyncGenerator<StoredEvent[], void, undefined> {
  let after = 0
  while (after < last) {
    const page = await read(after, LIMITS.readPageEvents)
    const events = page.filter(({ position }) => position <= last)
    if (events.length === 0) return
    yield events
    after = events.at(-1)!.position
  }
}
