// What an app has defined: dimensions, goals and reports, folded from the one stream `definitions:<appId>` of its own
// partition. Commands decide on it, projections fill rows by it, queries name it; so it is folded here, once.
import type { FoldEvent } from './catalogue.ts'
import { parseCommandMeta } from './commandMeta.ts'
import type { DefinitionRetired, DefinitionSaid } from './definitionSpecs.ts'

export interface DimensionSpec {
  /** The metadata key; the dimension is `metadata.<key>`. */
  readonly key: string
}

export interface GoalSpec {
  readonly name: string
  /** The event's name; absent where `page` says it all. */
  readonly event?: string
  /** A page as dimension `page` has it; `*` stands for any run of characters. Matches pageviews unless `event` is given. */
  readonly page?: string
  /** Further conditions in the grammar of filter.ts, over event dimensions and metadata. */
  readonly filter?: string
  /** Where revenue comes from: the event's `value`, or a numeric metadata key as `metadata.<key>`; currency from the event. */
  readonly value?: string
}

export type Measure = 'count' | 'visitors' | 'sum' | 'avg' | 'min' | 'max' | 'median'

export interface ReportSpec {
  readonly name: string
  readonly event?: string
  readonly filter?: string
  /** `of` is `value` or `metadata.<key>`: required for all but count and visitors, and refused for those. */
  readonly measures: readonly { readonly measure: Measure; readonly of?: string }[]
  /** Up to two event dimensions or metadata keys. */
  readonly dimensions: readonly string[]
  readonly interval: 'none' | 'hour' | 'day' | 'week' | 'month'
}

interface Defined<Kind extends string, Spec> {
  /** UUID text. */
  readonly definitionId: string
  readonly kind: Kind
  /** From 1. */
  readonly revision: number
  readonly spec: Spec
}

export type DefinedDimension = Defined<'dimension', DimensionSpec>
export type DefinedGoal = Defined<'goal', GoalSpec>
export type DefinedReport = Defined<'report', ReportSpec>
export type Definition = DefinedDimension | DefinedGoal | DefinedReport

/** What is in force, in the order of definition. Plain JSON: a build keeps what it was folded with. */
export interface Definitions {
  readonly dimensions: readonly DefinedDimension[]
  readonly goals: readonly DefinedGoal[]
  readonly reports: readonly DefinedReport[]
}

export const NO_DEFINITIONS: Definitions = { dimensions: [], goals: [], reports: [] }

export type Kind = Definition['kind']

/** How each type of event changes what is in force. */
const CHANGES: ReadonlyMap<string, { readonly kind: Kind; readonly change: HistoryEntry['change'] }> = new Map([
  ['DimensionDefined', { kind: 'dimension', change: 'defined' }],
  ['DimensionRetired', { kind: 'dimension', change: 'retired' }],
  ['GoalDefined', { kind: 'goal', change: 'defined' }],
  ['GoalRevised', { kind: 'goal', change: 'revised' }],
  ['GoalRetired', { kind: 'goal', change: 'retired' }],
  ['ReportDefined', { kind: 'report', change: 'defined' }],
  ['ReportRevised', { kind: 'report', change: 'revised' }],
  ['ReportRetired', { kind: 'report', change: 'retired' }],
])

/** The one stream of an app's definitions, in its own partition. */
export function definitionsStream(appId: string): string {
  return `definitions:${appId}`
}

export function isDefinitionEvent(type: string): boolean {
  return CHANGES.has(type)
}

/** What is in force after an event; the same object where it says nothing of definitions. */
export function applyDefinition(before: Definitions, event: Pick<FoldEvent, 'type' | 'data'>): Definitions {
  const change = CHANGES.get(event.type)
  if (change === undefined || event.data === null) return before
  const list = LISTS[change.kind]
  const { definitionId } = event.data as DefinitionRetired
  const others = before[list].filter((definition) => definition.definitionId !== definitionId)
  if (change.change === 'retired') return { ...before, [list]: others }
  const { revision, spec } = event.data as DefinitionSaid<never>
  const said: Definition = { definitionId, kind: change.kind, revision, spec }
  const at = before[list].findIndex((definition) => definition.definitionId === definitionId)
  return { ...before, [list]: at < 0 ? [...others, said] : before[list].map((definition, index) => (index === at ? said : definition)) }
}

const LISTS = { dimension: 'dimensions', goal: 'goals', report: 'reports' } as const

export function foldDefinitions(events: Iterable<FoldEvent>): Definitions {
  let definitions = NO_DEFINITIONS
  for (const event of events) definitions = applyDefinition(definitions, event)
  return definitions
}

/** All that is in force, in one list. */
export function allOf({ dimensions, goals, reports }: Definitions): readonly Definition[] {
  return [...dimensions, ...goals, ...reports]
}

/** Whether rows that were folded by `held` answer everything of `wanted`; what was retired since may still be in them. */
export function covers(held: Definitions, wanted: Definitions): boolean {
  const there = new Set(allOf(held).map(({ definitionId, revision }) => `${definitionId} ${revision}`))
  return allOf(wanted).every(({ definitionId, revision }) => there.has(`${definitionId} ${revision}`))
}

/** One thing that was said of a definition. */
export interface HistoryEntry {
  readonly definitionId: string
  readonly kind: Kind
  readonly change: 'defined' | 'revised' | 'retired'
  /** The revision in force from here on; the last one where it was retired. */
  readonly revision: number
  /** What was said, whole; of a retired one what it said last. */
  readonly spec: Definition['spec']
  readonly position: number
  /** Epoch milliseconds. */
  readonly recordedAt: number
  /** The account that did it. */
  readonly actor: string | undefined
}

/** Everything that was ever said of definitions, in order. */
export function definitionHistory(events: Iterable<FoldEvent>): HistoryEntry[] {
  const entries: HistoryEntry[] = []
  const last = new Map<string, Pick<HistoryEntry, 'revision' | 'spec'>>()
  for (const { type, data, meta, position, recordedAt } of events) {
    const change = CHANGES.get(type)
    if (change === undefined || data === null) continue
    const { definitionId } = data as DefinitionRetired
    const said = change.change === 'retired' ? last.get(definitionId) : (data as DefinitionSaid<Definition['spec']>)
    if (said === undefined) continue
    const { revision, spec } = said
    last.set(definitionId, { revision, spec })
    entries.push({ definitionId, ...change, revision, spec, position, recordedAt, actor: parseCommandMeta(meta)?.actor })
  }
  return entries
}
