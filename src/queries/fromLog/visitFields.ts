// What a visit says of itself, written to each of its events: entry and exit page, and where it came from. Events in no visit
// have none of it.
import { ABSENT } from './dictionary.ts'
import { NOBODY } from './identities.ts'
import { isVisitField } from './needs.ts'
import { type Field, HAS_URL, INTERACTIVE, PAGEVIEW, type Rows } from './rows.ts'
import type { Visits } from './visits.ts'

/** Columns of visit dimensions, by row. Those of arrival take the place of what single events said, which is answered by name. */
export function putVisitFields(rows: Rows, visits: Visits, names: Iterable<string>): Map<string, Field> {
  const page = rows.fields.get('page')
  const said = new Map<string, Field>()
  for (const name of names) {
    if (!isVisitField(name)) continue
    const source = name === 'entryPage' || name === 'exitPage' ? page! : rows.fields.get(name)!
    said.set(name, source)
    rows.fields.set(name, visitField(rows, visits, name, source))
  }
  return said
}

export function visitField(rows: Rows, visits: Visits, name: string, source: Field): Field {
  return { dictionary: source.dictionary, codes: codesOf(rows, visits, source, sayerOf(name)) }
}

/** Whether a row could say it for a visit. */
export function couldSay({ flags, client }: Rows, name: string): (row: number) => boolean {
  const wanted = INTERACTIVE | (name === 'entryPage' || name === 'exitPage' ? PAGEVIEW : HAS_URL)
  return (row) => client[row] !== NOBODY && (flags[row]! & wanted) === wanted
}

type Sayer = (rows: Rows, visits: Visits, visit: number) => number | undefined

function sayerOf(name: string): Sayer {
  if (name === 'entryPage') return (rows, visits, visit) => first(rows, visits, visit, PAGEVIEW)
  if (name === 'exitPage') return (rows, visits, visit) => last(rows, visits, visit, PAGEVIEW)
  return (rows, visits, visit) => first(rows, visits, visit, INTERACTIVE | HAS_URL)
}

function codesOf(rows: Rows, visits: Visits, source: Field, sayer: Sayer): Int32Array {
  const codes = new Int32Array(rows.count).fill(ABSENT)
  for (let visit = 0; visit < visits.count; visit++) {
    const sayerRow = sayer(rows, visits, visit)
    if (sayerRow === undefined) continue
    const code = source.codes[sayerRow]!
    for (let at = visits.from[visit]!; at < visits.to[visit]!; at++) codes[visits.order[at]!] = code
  }
  return codes
}

/** The visit's first event with all of these flags. */
function first({ flags }: Rows, { order, from, to }: Visits, visit: number, wanted: number): number | undefined {
  for (let at = from[visit]!; at < to[visit]!; at++) if ((flags[order[at]!]! & wanted) === wanted) return order[at]
  return undefined
}

function last({ flags }: Rows, { order, from, to }: Visits, visit: number, wanted: number): number | undefined {
  for (let at = to[visit]! - 1; at >= from[visit]!; at--) if ((flags[order[at]!]! & wanted) === wanted) return order[at]
  return undefined
}
