// One pass over an app's events up to a position: what was collected, with corrections and retractions applied, as rows.
// Bounded in events, stopped by a signal, and polite: whatever else runs in the process has its turn after each page.
import { setImmediate } from 'node:timers/promises'
import { decodeData, type FoldEvent } from '../../events/catalogue.ts'
import type { Content } from '../../events/content.ts'
import { eventCollected } from '../../events/eventCollected.ts'
import { eventCorrected } from '../../events/eventCorrected.ts'
import type { ScannedEvent } from '../../events/eventLog.ts'
import { eventRetracted, type EventRetracted } from '../../events/eventRetracted.ts'
import { LIMITS } from '../../limits.ts'
import { readContent } from '../../projections/visitors/links.ts'
import { type FieldsOf, fieldsOf, namesFor } from './fieldsOf.ts'
import { type LogAnswerOptions, type LogSource, LogTooLong } from './logSource.ts'
import type { Needs } from './needs.ts'
import { Rows } from './rows.ts'

export interface Read {
  readonly rows: Rows
  readonly scanned: number
}

export async function readRows(log: LogSource, appId: string, needs: Needs, options: LogAnswerOptions): Promise<Read> {
  const { upTo, signal, onProgress, maxEvents = LIMITS.logAnswerEvents } = options
  const rows = new Rows(needs)
  const readFields = fieldsOf(namesFor(needs))
  let scanned = 0
  // The next page is on its way while this one is taken in.
  let next: Promise<ScannedEvent[]> | undefined
  try {
    next = ahead(log, appId, 0)
    while (next !== undefined) {
      signal?.throwIfAborted()
      const page: ScannedEvent[] = await next
      const last = page.at(-1)?.position
      next = last === undefined || last >= upTo ? undefined : ahead(log, appId, last)
      scanned += take(rows, readFields, page, upTo)
      if (scanned > maxEvents) throw new LogTooLong(maxEvents)
      onProgress?.(scanned)
      await setImmediate()
    }
    return { rows, scanned }
  } finally {
    await next?.catch(() => undefined)
  }
}

function ahead(log: LogSource, appId: string, after: number): Promise<ScannedEvent[]> {
  const page = log.scan(appId, after, LIMITS.readPageEvents)
  // Whoever awaits it is told; until then it is not unhandled.
  page.catch(() => undefined)
  return page
}

/** How many of the page's events lie up to the position. */
function take(rows: Rows, readFields: FieldsOf, page: readonly ScannedEvent[], upTo: number): number {
  let taken = 0
  for (const event of page) {
    if (event.position > upTo) break
    taken += 1
    apply(rows, readFields, event)
  }
  return taken
}

function apply(rows: Rows, readFields: FieldsOf, event: ScannedEvent): void {
  switch (event.type) {
    case eventCollected.type:
      rows.collect(event.position, collectedContent(event, readFields))
      return
    case eventCorrected.type: {
      const content = contentIn(event)
      if (content !== undefined) rows.replace(content.position, content, event.position)
      return
    }
    case eventRetracted.type: {
      const data = decodeData(event) as EventRetracted | null
      if (data !== null) rows.replace(data.position, undefined, event.position)
    }
  }
}

/** The fields that are needed, of an event in the newest shape; all of any other. */
function collectedContent(event: ScannedEvent, readFields: FieldsOf): Content | undefined {
  const { position, occurredAt, schemaVersion } = event
  const data = event.data === null || schemaVersion !== eventCollected.schemaVersion ? undefined : readFields(event.data)
  if (data === undefined) return contentIn(event)
  return typeof data.event === 'string' ? { position, contentPosition: position, occurredAt, data } : undefined
}

/** Undefined for what was erased, and for what no fold can read: that counts nowhere. */
export function contentIn(event: ScannedEvent): Content | undefined {
  let data: unknown
  try {
    data = decodeData(event)
  } catch {
    return undefined
  }
  return readContent({ position: event.position, type: event.type, occurredAt: event.occurredAt, data } as FoldEvent)
}
