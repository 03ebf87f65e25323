// One stored event as one line of JSON, and back, to the byte. `data` stands last and as it is stored, so that the line is
// JSON to any tool and the exact bytes to us; data that would not survive in a line travels as a JSON string instead.
import type { NewEvent, StoredEvent } from '../events/eventLog.ts'
import { isUuid } from '../kernel/ids.ts'

/** What a line that `recount export` wrote begins with; the number is the version of the line's form. */
const PREFIX = '{"recount":1,'
const DATA = ',"data":'
const DATA_TEXT = ',"dataText":'

export interface ExportedEvent extends NewEvent {
  /** Where it stood: 0 is the control partition; everything else stands in its app's, whichever that is in this store. */
  readonly partition: number
  readonly stream?: string
  /** Present with a stream. */
  readonly streamVersion: number | undefined
}

/** Without a line feed. */
export function exportLine(event: StoredEvent): string {
  const head =
    `${PREFIX}"id":"${event.eventId}","appId":"${event.appId}","type":${JSON.stringify(event.type)}` +
    `,"schemaVersion":${event.schemaVersion},"partition":${event.partition},"position":${event.position}` +
    `,"occurredAt":"${new Date(event.occurredAt).toISOString()}","recordedAt":"${new Date(event.recordedAt).toISOString()}"` +
    (event.stream === null ? '' : `,"stream":${JSON.stringify(event.stream)},"streamVersion":${event.streamVersion ?? 'null'}`) +
    (event.meta === null ? '' : `,"meta":${JSON.stringify(event.meta)}`)
  return `${head}${dataPart(event.data)}}`
}

function dataPart(data: string | null): string {
  if (data === null) return `${DATA}null`
  return isOneJsonValue(data) ? DATA + data : DATA_TEXT + JSON.stringify(data)
}

/** True for JSON text on one line without space around it, which is all that can be cut out of a line again. */
function isOneJsonValue(text: string): boolean {
  if (/^\s|\s$|[\r\n]/.test(text) || text === 'null') return false
  try {
    JSON.parse(text)
    // A lone surrogate has no UTF-8; as a JSON string it is written as an escape.
    return !/\p{Surrogate}/u.test(text)
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

export function isExportLine(text: string): boolean {
  return text.startsWith(PREFIX)
}

/** The event of a line for which isExportLine holds, or what is wrong with it in words. */
export function parseExportLine(text: string): ExportedEvent | string {
  let line: Record<string, unknown>
  try {
    line = JSON.parse(text) as Record<string, unknown>
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return `is an export line cut short or damaged: ${error.message.slice(0, 120)}`
  }
  const { id, appId, type, schemaVersion, partition, meta, stream } = line
  const occurredAt = Date.parse(String(line['occurredAt']))
  const version = line['streamVersion']
  const data = dataOf(text, line)
  const valid =
    typeof id === 'string' && isUuid(id) && typeof appId === 'string' && isUuid(appId) &&
    typeof type === 'string' && Number.isSafeInteger(schemaVersion) && Number.isSafeInteger(partition) && Number.isSafeInteger(occurredAt) &&
    (stream === undefined ? version === undefined : typeof stream === 'string' && Number.isSafeInteger(version)) && (meta === undefined || typeof meta === 'string') // prettier-ignore
  if (!valid || data === undefined) return 'is an export line without id, appId, type, schemaVersion, occurredAt or data'
  return {
    eventId: id,
    appId,
    type,
    schemaVersion: schemaVersion as number,
    occurredAt,
    data,
    meta: meta ?? null,
    partition: partition as number,
    ...(typeof stream === 'string' ? { stream } : {}),
    streamVersion: version as number | undefined,
  }
}

function dataOf(text: string, line: Record<string, unknown>): string | undefined {
  if (typeof line['dataText'] === 'string') return line['dataText']
  // All values before it are strings and numbers, inside which no bare quote can stand: the first match is the key itself.
  const at = text.indexOf(DATA)
  return line['data'] === undefined || at === -1 ? undefined : text.trimEnd().slice(at + DATA.length, -1)
}
