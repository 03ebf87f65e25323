// The load generator's own books: a byte for every event id it ever used, so that two million events fit, and counts of
// what was sent and answered. Independent of Recount: the check compares the two.

/** What is known of one id; several at once. */
export const SENT = 1
export const ACKNOWLEDGED = 2
/** Made to be refused: it belongs into quarantine and never into the log. */
export const INVALID = 4
/** Found in the log; written by the check. */
export const STORED = 8

const FIRST_CAPACITY = 4_096
const COUNTER_AT = 24

export interface AppBooks {
  readonly appId: string
  readonly token: string
  /** One byte per counter; grows. */
  readonly flags: Uint8Array
  /** Ids handed out so far: counters 0 to issued - 1. */
  readonly issued: number
  /** Occurrences in requests that were begun, and in requests that were answered as taken; an id sent twice counts twice. */
  attempted: number
  accepted: number
  /** The same of invalid events. */
  attemptedInvalid: number
  refused: number
  /** By counter: the position that ack=stored answered. */
  readonly positions: ReadonlyMap<number, number>
  next(flags: number): number
  mark(counter: number, flag: number): void
  /** Answers false when another position was answered for it before. */
  place(counter: number, position: number): boolean
  idOf(counter: number): string
  /** Undefined for an id that this app was never sent. */
  counterOf(id: string): number | undefined
}

/** `number` sets the ids of one app apart from those of another; at most 65,535. */
export function openBooks(appId: string, token: string, seed: number, number: number): AppBooks {
  let flags = new Uint8Array(FIRST_CAPACITY)
  let issued = 0
  const positions = new Map<number, number>()
  const prefix = `${hex(seed >>> 0, 8)}-${hex(number, 4)}-4000-8000-`
  return {
    appId,
    token,
    get flags() {
      return flags
    },
    get issued() {
      return issued
    },
    attempted: 0,
    accepted: 0,
    attemptedInvalid: 0,
    refused: 0,
    positions,
    next(first) {
      if (issued === flags.length) {
        const larger = new Uint8Array(flags.length * 2)
        larger.set(flags)
        flags = larger
      }
      flags[issued] = first
      return issued++
    },
    mark: (counter, flag) => {
      flags[counter]! |= flag
    },
    place(counter, position) {
      const before = positions.get(counter)
      positions.set(counter, before ?? position)
      return before === undefined || before === position
    },
    idOf: (counter) => prefix + hex(counter, 12),
    counterOf(id) {
      if (!id.startsWith(prefix)) return undefined
      const counter = Number.parseInt(id.slice(COUNTER_AT), 16)
      return counter < issued && (flags[counter]! & SENT) !== 0 ? counter : undefined
    },
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}

export interface Totals {
  sent: number
  acknowledged: number
  stored: number
  lost: number
  madeIt: number
  invalid: number
}

/** Counted id by id. `stored`, `lost` and `madeIt` say something only after the check has marked what is in the log. */
export function totalsOf(books: readonly AppBooks[]): Totals {
  const totals: Totals = { sent: 0, acknowledged: 0, stored: 0, lost: 0, madeIt: 0, invalid: 0 }
  for (const { flags, issued } of books) {
    for (let counter = 0; counter < issued; counter++) {
      const flag = flags[counter]!
      if ((flag & SENT) === 0) continue
      if ((flag & INVALID) !== 0) {
        totals.invalid++
        continue
      }
      totals.sent++
      const acknowledged = (flag & ACKNOWLEDGED) !== 0
      const stored = (flag & STORED) !== 0
      if (acknowledged) totals.acknowledged++
      if (stored) totals.stored++
      if (stored && !acknowledged) totals.madeIt++
      if (acknowledged && !stored) totals.lost++
    }
  }
  return totals
}
