// An event as visits see it: when, who, and what it says, with values as refs of the tally. Everything that a visit is made
// of, so that a visit can be cut without reading the event again.

export interface Seen {
  readonly at: number
  /** Of the collected event. */
  readonly position: number
  readonly contentPosition: number
  /** False: engagement, which keeps a visit open but starts none. */
  readonly interactive: boolean
  readonly pageview: boolean
  /** Local day. */
  readonly day: number
  /** Ordinal; -1 without identity. */
  readonly visitor: number
  /** Of its event dimensions and declared metadata dimensions. */
  readonly refs: readonly number[]
  /** Its page as a value of entryPage and of exitPage; -1 for what is no pageview. */
  readonly entry: number
  readonly exit: number
  /** Of the arrival dimensions; undefined for an event that no visit can arrive with. */
  readonly arrival: readonly number[] | undefined
}

export interface Mark {
  readonly at: number
  readonly position: number
}

/** The order within a visit (visitRules). */
export function isBefore(left: Mark, right: Mark): boolean {
  return left.at < right.at || (left.at === right.at && left.position < right.position)
}
