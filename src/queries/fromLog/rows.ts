// The contents in force, a few bytes each: one row per collected event in log order, in typed columns that double as they
// fill, with only the fields that the question needs, each as codes of its own dictionary.
import type { Content } from '../../events/content.ts'
import { ARRIVAL_DIMENSIONS, EVENT_DIMENSIONS, type EventDimension, metadataKey } from '../../events/dimensionNames.ts'
import type { EventCollected } from '../../events/eventCollected.ts'
import { arrivalValues, eventValue, metadataValue } from '../../projections/enrichment/dimensions.ts'
import { namedDevice, userAgent } from '../../projections/enrichment/userAgents.ts'
import { isPageview, roleOf } from '../../projections/visitors/visitRules.ts'
import { Dictionary } from './dictionary.ts'
import { clientOf, type EventIdentities, Identities, NOBODY, visitorOf } from './identities.ts'
import { EVENT_NAME, type Needs } from './needs.ts'

export const IN_FORCE = 1
export const PAGEVIEW = 2
export const INTERACTIVE = 4
export const ENGAGEMENT = 8
export const BOT = 16
export const HAS_URL = 32

export interface Field {
  readonly dictionary: Dictionary
  codes: Int32Array
}

interface FieldReader {
  readonly field: Field
  readonly read: (data: EventCollected) => string | undefined
}

interface NumberColumn {
  readonly name: string
  values: Float64Array
}

const FIRST_ROWS = 1_024

export class Rows {
  count = 0
  occurredAt = new Float64Array(FIRST_ROWS)
  /** Of the collected event; ascending. */
  position = new Float64Array(FIRST_ROWS)
  visitor = new Int32Array(FIRST_ROWS)
  client = new Int32Array(FIRST_ROWS)
  flags = new Uint8Array(FIRST_ROWS)
  device: Uint8Array | undefined
  /** Ids that an event with a userId also has; absent until one does. */
  private anonymous: Int32Array | undefined
  private cookieless: Int32Array | undefined
  /** Where the latest correction or retraction of a row stands. */
  readonly changedAt = new Map<number, number>()
  readonly identities = new Identities()
  readonly fields = new Map<string, Field>()
  private readonly readers: FieldReader[] = []
  private readonly numberColumns: NumberColumn[] = []

  constructor(needs: Needs) {
    if (needs.device) this.device = new Uint8Array(FIRST_ROWS)
    for (const name of needs.numbers) this.numberColumns.push({ name, values: new Float64Array(FIRST_ROWS) })
    for (const name of needs.fields) this.addField(name === 'entryPage' || name === 'exitPage' ? 'page' : name)
  }

  /** Takes in what was collected at a position; undefined for data that was erased. */
  collect(position: number, content: Content | undefined): void {
    const row = this.count++
    if (row === this.position.length) this.grow()
    this.position[row] = position
    if (content !== undefined) this.put(row, content)
  }

  /** From the event at `changedAt` on the one collected at a position counts with this content, or not at all. */
  replace(position: number, content: Content | undefined, changedAt: number): void {
    const row = this.find(position)
    if (row === undefined) return
    this.changedAt.set(row, changedAt)
    this.flags[row] = 0
    if (content !== undefined) this.put(row, content)
  }

  /** The row of the event collected at a position. */
  find(position: number): number | undefined {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.position[middle]! < position) low = middle + 1
      else high = middle
    }
    return low < this.count && this.position[low] === position ? low : undefined
  }

  /** Where the content of a row in force stands. */
  contentPosition(row: number): number {
    return this.changedAt.get(row) ?? this.position[row]!
  }

  numbers(name: string): Float64Array {
    return this.numberColumns.find((column) => column.name === name)!.values
  }

  /** The ids that a row's event says belong to its user. */
  linked(row: number): readonly [anonymous: number, cookieless: number] {
    return [this.anonymous?.[row] ?? NOBODY, this.cookieless?.[row] ?? NOBODY]
  }

  get hasLinks(): boolean {
    return this.anonymous !== undefined || this.cookieless !== undefined
  }

  private put(row: number, { occurredAt, data }: Content): void {
    const agent = userAgent(data.userAgent)
    const role = roleOf(data)
    this.occurredAt[row] = occurredAt
    this.flags[row] =
      IN_FORCE |
      (isPageview(data) ? PAGEVIEW : 0) |
      (role === 'interactive' ? INTERACTIVE : role === 'engagement' ? ENGAGEMENT : 0) |
      (agent.bot ? BOT : 0) |
      (data.url === undefined ? 0 : HAS_URL)
    const identities = this.identities.of(data)
    this.visitor[row] = visitorOf(identities)
    this.client[row] = clientOf(identities, agent.bot)
    this.putLinks(row, identities)
    if (this.device !== undefined) this.device[row] = data.device === undefined ? agent.device : namedDevice(data.device)
    for (const { field, read } of this.readers) field.codes[row] = field.dictionary.code(read(data))
    for (const { name, values } of this.numberColumns) values[row] = numberIn(data, name)
  }

  private putLinks(row: number, { user, anonymous, cookieless }: EventIdentities): void {
    const [before, beside] = user === NOBODY ? [NOBODY, NOBODY] : [anonymous, cookieless]
    if (before !== NOBODY) this.anonymous ??= new Int32Array(this.position.length).fill(NOBODY)
    if (beside !== NOBODY) this.cookieless ??= new Int32Array(this.position.length).fill(NOBODY)
    if (this.anonymous !== undefined) this.anonymous[row] = before
    if (this.cookieless !== undefined) this.cookieless[row] = beside
  }

  private addField(name: string): void {
    if (this.fields.has(name)) return
    const field = { dictionary: new Dictionary(), codes: new Int32Array(FIRST_ROWS) }
    this.fields.set(name, field)
    this.readers.push({ field, read: readerOf(name) })
  }

  private grow(): void {
    const size = this.position.length * 2
    this.occurredAt = grown(this.occurredAt, new Float64Array(size))
    this.position = grown(this.position, new Float64Array(size))
    this.visitor = grown(this.visitor, new Int32Array(size))
    this.client = grown(this.client, new Int32Array(size))
    this.flags = grown(this.flags, new Uint8Array(size))
    if (this.device !== undefined) this.device = grown(this.device, new Uint8Array(size))
    if (this.anonymous !== undefined) this.anonymous = grown(this.anonymous, new Int32Array(size))
    if (this.cookieless !== undefined) this.cookieless = grown(this.cookieless, new Int32Array(size))
    for (const { field } of this.readers) field.codes = grown(field.codes, new Int32Array(size))
    for (const column of this.numberColumns) column.values = grown(column.values, new Float64Array(size))
  }
}

function grown<Column extends { set(other: Column): void }>(column: Column, larger: Column): Column {
  larger.set(column)
  return larger
}

function readerOf(name: string): (data: EventCollected) => string | undefined {
  const key = metadataKey(name)
  if (key !== undefined) return (data) => metadataValue(data, key)
  if (name === EVENT_NAME) return ({ event }) => event
  if (name === 'value') return ({ value }) => (value === undefined ? undefined : String(value))
  if (name === 'currency') return ({ currency }) => currency
  if ((EVENT_DIMENSIONS as readonly string[]).includes(name)) return (data) => eventValue(data, name as EventDimension)
  const arrival = (ARRIVAL_DIMENSIONS as readonly string[]).indexOf(name)
  if (arrival === -1) throw new RangeError(`there is no field ${name}`)
  // Of every event with which a visit may turn out to arrive.
  return (data) => (data.url !== undefined && roleOf(data) === 'interactive' ? arrivalValues(data)[arrival] : undefined)
}

/** Only what JSON writes as a number; NaN where there is none. */
function numberIn({ value, metadata }: EventCollected, name: string): number {
  if (name === 'value') return value ?? Number.NaN
  const key = metadataKey(name)!
  const found = metadata !== undefined && Object.hasOwn(metadata, key) ? metadata[key] : undefined
  return typeof found === 'number' && Number.isFinite(found) ? found : Number.NaN
}
