// What an app has defined: dimensions, goals and reports, folded from the one stream `definitions:<appId>` of its own
// partition. Commands decide on it, projections fill rows by it, queries name it; so it is folded here, once.

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
