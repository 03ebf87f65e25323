// From columns of anybody's file to the fields of an event, as --map and --set say. Columns that bear the name of an event
// field are that field; what is left is kept as metadata, so that nothing of a row is lost unless --only-mapped asks for it.
import { put } from './put.ts'
import type { Columns } from './row.ts'
import { timeOf } from './times.ts'

/** An event as /collect takes it, not yet checked. */
export type EventInput = Record<string, unknown>

export interface MappingOptions {
  /** [target, source]: the event's field, and the column or dotted path it comes from. */
  readonly map: readonly (readonly [target: string, source: string])[]
  /** [target, value] for every row; stronger than what the row says. */
  readonly set: readonly (readonly [target: string, value: string])[]
  readonly onlyMapped: boolean
}

type Kind = 'text' | 'time' | 'flag' | 'number'

const FIELDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['id', 'text'], ['event', 'text'], ['url', 'text'], ['referrer', 'text'], ['title', 'text'], ['userId', 'text'],
  ['anonymousId', 'text'], ['sessionId', 'text'], ['device', 'text'], ['ipAddress', 'text'], ['userAgent', 'text'],
  ['screen', 'text'], ['language', 'text'], ['timestamp', 'time'], ['interactive', 'flag'], ['value', 'number'],
  ['currency', 'text'],
]) // prettier-ignore
const METADATA = 'metadata.'

/** Reads `target=source,target=source`; a backslash keeps a comma. Throws an Error that says what is wrong. */
export function parsePairs(option: string, texts: readonly string[]): [target: string, value: string][] {
  const pairs = texts.flatMap((text) => text.split(/(?<!\\),/)).map((pair) => pair.replaceAll('\\,', ','))
  return pairs
    .filter((pair) => pair.trim() !== '')
    .map((pair) => {
      const equals = pair.indexOf('=')
      const target = pair.slice(0, equals).trim()
      const value = pair.slice(equals + 1)
      if (equals < 1 || value === '') throw new Error(`${option}: "${pair}" is not target=value`)
      if (!FIELDS.has(target) && !(target.startsWith(METADATA) && target.length > METADATA.length)) {
        throw new Error(`${option}: "${target}" is no field of an event; there are ${[...FIELDS.keys()].join(', ')} and metadata.<key>`)
      }
      return [target, value]
    })
}

/** Turns a row into an event, or into what is wrong with it in words. */
export function createMapping(options: MappingOptions): (columns: Columns) => EventInput | string {
  const taken = new Set([...options.map.map(([, source]) => source), ...options.map.map(([target]) => target)])
  for (const [target] of options.set) taken.add(target)
  return (columns) => {
    const draft = new Draft()
    for (const name in columns) {
      if (!taken.has(name)) draft.column(name, columns[name], options.onlyMapped)
    }
    for (const [target, source] of options.map) draft.set(target, lookUp(columns, source))
    for (const [target, value] of options.set) draft.set(target, value)
    return draft.finished()
  }
}

class Draft {
  private readonly event: EventInput = {}
  private metadata: Record<string, unknown> | undefined
  private fault: string | undefined

  column(name: string, value: unknown, onlyMapped: boolean): void {
    if (FIELDS.has(name) || name.startsWith(METADATA)) this.set(name, value)
    else if (name === 'metadata' && typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [key, inner] of Object.entries(value)) this.set(METADATA + key, inner)
    } else if (!onlyMapped) this.set(METADATA + name, value)
  }

  set(target: string, value: unknown): void {
    if (value === undefined || value === null) return
    const kind = FIELDS.get(target)
    if (kind === undefined) {
      put((this.metadata ??= {}), target.slice(METADATA.length), value)
      return
    }
    if (value === '') return
    const converted = convert(kind, value)
    if (converted === undefined) this.fault ??= `${target} cannot be ${JSON.stringify(value).slice(0, 80)}`
    else this.event[target] = converted
  }

  finished(): EventInput | string {
    if (this.fault !== undefined) return this.fault
    if (this.metadata !== undefined) this.event['metadata'] = this.metadata
    if (this.event['event'] === undefined) return 'has no event name: --map event=<column> or --set event=<name>'
    // Without a time the row would move to the moment of each import.
    if (this.event['timestamp'] === undefined) return 'has no time: --map timestamp=<column>'
    return this.event
  }
}

function convert(kind: Kind, value: unknown): string | number | boolean | undefined {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined
  switch (kind) {
    case 'text':
      return String(value)
    case 'time':
      return typeof value === 'boolean' ? undefined : timeOf(value)
    case 'number':
      return typeof value === 'boolean' || !Number.isFinite(Number(value)) ? undefined : Number(value)
    case 'flag':
      if (value === true || value === 'true' || value === 1 || value === '1') return true
      return value === false || value === 'false' || value === 0 || value === '0' ? false : undefined
  }
}

/** A column of that very name, else the value at a dotted path into JSON objects. */
function lookUp(columns: Columns, source: string): unknown {
  if (Object.hasOwn(columns, source)) return columns[source]
  if (!source.includes('.')) return undefined
  let value: unknown = columns
  for (const part of source.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as Record<string, unknown>)[part]
  }
  return value
}
