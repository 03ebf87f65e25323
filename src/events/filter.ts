// The filter grammar: conditions over dimensions and metadata, joined by and, or and parentheses. Parsed once, checked where
// it is written down, and evaluated the same everywhere.

export const FILTER_OPERATORS = ['is', 'isNot', 'contains', 'notContains', 'in', 'notIn', 'greater', 'atLeast', 'less', 'atMost'] as const

export interface Condition {
  readonly op: (typeof FILTER_OPERATORS)[number]
  /** One of DIMENSIONS, `metadata.<key>`, `value` or `currency`. */
  readonly field: string
  /** One, except for in and notIn. */
  readonly values: readonly string[]
}

export type Filter = Condition | { readonly op: 'and' | 'or'; readonly of: readonly Filter[] }
