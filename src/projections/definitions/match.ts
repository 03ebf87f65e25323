// Goals and reports as functions of what one event says: whether it counts, in which interval and group, and with which
// numbers. Only what the event itself says decides, so a contribution has an exact inverse whenever it is taken back.
import type { DefinedGoal, DefinedReport, Definitions } from '../../events/definitions.ts'
import { EVENT_DIMENSIONS, metadataKey } from '../../events/dimensionNames.ts'
import type { EventCollected } from '../../events/eventCollected.ts'
import { compileFilter, parseFilter } from '../../events/filter.ts'
import { matchesPage } from '../../events/pagePattern.ts'
import { NIL_UUID, uuidToBytes } from '../../kernel/ids.ts'
import { eventValues, metadataValue } from '../enrichment/dimensions.ts'
import { isPageview } from '../visitors/visitRules.ts'

/** A number that an event adds to a cell, under a label of the cell's definition. */
export interface Labelled {
  readonly label: string
  readonly number: number
}

export interface Matcher {
  readonly definition: Buffer
  readonly revision: number
  readonly hourly: boolean
  matches(data: EventCollected): boolean
  /** The values of its dimensions; null where the event lacks one. */
  group(data: EventCollected): readonly (string | null)[]
  numbers(data: EventCollected): readonly Labelled[]
}

/** Under it the cells of all events stand. */
export const ALL: Pick<Matcher, 'definition' | 'revision'> = { definition: uuidToBytes(NIL_UUID), revision: 0 }

/** The label of revenue whose event names no currency. */
export const NO_CURRENCY = ''

const known = new WeakMap<Definitions, readonly Matcher[]>()

/** What the app's events are matched against; empty where it has defined neither goal nor report. */
export function matchersOf(definitions: Definitions): readonly Matcher[] {
  let matchers = known.get(definitions)
  if (matchers === undefined) {
    const own = [...definitions.goals.map(goalMatcher), ...definitions.reports.map(reportMatcher)]
    known.set(definitions, (matchers = own.length === 0 ? [] : [EVERYTHING, ...own]))
  }
  return matchers
}

const NOTHING: readonly never[] = []
const EVERYTHING: Matcher = { ...ALL, hourly: false, matches: () => true, group: () => NOTHING, numbers: () => NOTHING }

function goalMatcher({ definitionId, revision, spec }: DefinedGoal): Matcher {
  const { event, page, value } = spec
  const passes = filterTest(spec.filter)
  const numberOf = value === undefined ? undefined : numberReader(value)
  const pageOf = fieldReader('page')
  return {
    ...{ definition: uuidToBytes(definitionId), revision, hourly: false, group: () => NOTHING },
    matches(data) {
      if (event === undefined ? !isPageview(data) : data.event !== event) return false
      const seen = page === undefined ? undefined : pageOf(data)
      return (page === undefined || (seen !== undefined && matchesPage(page, seen))) && passes(data)
    },
    numbers(data) {
      const number = numberOf?.(data)
      return number === undefined ? NOTHING : [{ label: data.currency ?? NO_CURRENCY, number }]
    },
  }
}

function reportMatcher({ definitionId, revision, spec }: DefinedReport): Matcher {
  const passes = filterTest(spec.filter)
  const fields = spec.dimensions.map(fieldReader)
  const labels = [...new Set(spec.measures.flatMap(({ of }) => (of === undefined ? [] : [of])))]
  const measured = labels.map((label) => ({ label, read: numberReader(label) }))
  return {
    ...{ definition: uuidToBytes(definitionId), revision, hourly: spec.interval === 'hour' },
    matches: (data) => (spec.event === undefined || data.event === spec.event) && passes(data),
    group: (data) => fields.map((read) => read(data) ?? null),
    numbers(data) {
      const found: Labelled[] = []
      for (const { label, read } of measured) {
        const number = read(data)
        if (number !== undefined) found.push({ label, number })
      }
      return found
    },
  }
}

function filterTest(text: string | undefined): (data: EventCollected) => boolean {
  if (text === undefined) return () => true
  const test = compileFilter(parseFilter(text))
  return (data) => test((field) => fieldReader(field)(data))
}

type Reader = (data: EventCollected) => string | undefined

const readers = new Map<string, Reader>(
  EVENT_DIMENSIONS.map((dimension, index): [string, Reader] => [dimension, (data) => eventValues(data)[index]]),
)
readers.set('value', ({ value }) => (value === undefined ? undefined : String(value)))
readers.set('currency', ({ currency }) => currency)

function fieldReader(field: string): Reader {
  const key = metadataKey(field)
  if (key !== undefined) return (data) => metadataValue(data, key)
  const reader = readers.get(field)
  if (reader === undefined) throw new RangeError(`no event has a field ${field}`)
  return reader
}

/** Only what JSON writes as a number. */
function numberReader(name: string): (data: EventCollected) => number | undefined {
  const key = metadataKey(name)
  const read = ({ value, metadata }: EventCollected): unknown => {
    if (key === undefined) return value
    return metadata !== undefined && Object.hasOwn(metadata, key) ? metadata[key] : undefined
  }
  return (data) => {
    const found = read(data)
    return typeof found === 'number' && Number.isFinite(found) ? found : undefined
  }
}
