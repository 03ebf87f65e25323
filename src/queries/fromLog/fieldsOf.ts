// The fields that a question needs of a collected event, out of its JSON text without parsing the rest: parsing everything was
// half of what an answer from the log costs. What it says of a field is what JSON.parse says of it, of all text that is JSON; and
// text that is written in any way that it does not know, with an escape anywhere or blanks between tokens, is left to JSON.parse.
import { ARRIVAL_DIMENSIONS, metadataKey } from '../../events/dimensionNames.ts'
import type { EventCollected } from '../../events/eventCollected.ts'
import type { Needs } from './needs.ts'

type Name = keyof EventCollected

/** Every row: who, when in a visit, and whether a bot. */
const ALWAYS: readonly Name[] = ['event', 'url', 'userId', 'anonymousId', 'sessionId', 'cookieless', 'userAgent', 'interactive']
const BEHIND: Readonly<Record<string, readonly Name[]>> = { title: ['title'], country: ['ip'], language: ['language'], screen: ['screen'], device: ['device'], value: ['value'], currency: ['currency'] }
const ARRIVAL: ReadonlySet<string> = new Set(ARRIVAL_DIMENSIONS)

const [QUOTE, COMMA, COLON, OPENED, CLOSED, LIST, LIST_END] = [34, 44, 58, 123, 125, 91, 93] as const
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** What of an event's data the rows of a question are made of. */
export function namesFor({ fields, numbers, device }: Needs): ReadonlySet<Name> {
  const names = new Set<Name>(ALWAYS)
  if (device) names.add('device')
  for (const field of [...fields, ...numbers]) {
    if (metadataKey(field) !== undefined) names.add('metadata')
    if (ARRIVAL.has(field)) names.add('referrer')
    for (const name of BEHIND[field] ?? []) names.add(name)
  }
  return names
}

/** One shape for all events, whatever each of them has. */
class Fields implements Record<Name, unknown> {
  event = undefined
  url = undefined
  referrer = undefined
  title = undefined
  userId = undefined
  anonymousId = undefined
  sessionId = undefined
  device = undefined
  ip = undefined
  userAgent = undefined
  browser = undefined
  cookieless = undefined
  unverified = undefined
  screen = undefined
  language = undefined
  interactive = undefined
  value = undefined
  currency = undefined
  metadata = undefined
}

export type FieldsOf = (text: string) => EventCollected | undefined

/** Answers undefined where it is in doubt. A text may stay in memory as long as one of its fields does (see ownText). */
export function fieldsOf(names: ReadonlySet<Name>): FieldsOf {
  const byLength: Name[][] = []
  for (const name of names) (byLength[name.length] ??= []).push(name)

  const nameAt = (text: string, from: number, end: number): Name | undefined => {
    const some = byLength[end - from]
    if (some !== undefined) for (const name of some) if (text.startsWith(name, from)) return name
    return undefined
  }

  return (text) => {
    if (text.charCodeAt(0) !== OPENED || text.includes('\\')) return undefined
    const found: Record<Name, unknown> = new Fields()
    for (let at = 1; ; at++) {
      if (text.charCodeAt(at) !== QUOTE) return undefined
      const end = text.indexOf('"', at + 1)
      if (end === -1 || text.charCodeAt(end + 1) !== COLON) return undefined
      const name = nameAt(text, at + 1, end)
      const from = end + 2
      at = endOfValue(text, from)
      if (at === -1) return undefined
      if (name !== undefined) found[name] = text.charCodeAt(from) === QUOTE ? text.slice(from + 1, at - 1) : JSON.parse(text.slice(from, at))
      const next = text.charCodeAt(at)
      if (next === CLOSED) return at === text.length - 1 ? (found as unknown as EventCollected) : undefined
      if (next !== COMMA) return undefined
    }
  }
}

/** Behind the value that begins here, -1 in doubt. */
function endOfValue(text: string, from: number): number {
  const first = text.charCodeAt(from)
  if (first === QUOTE) {
    const end = text.indexOf('"', from + 1)
    return end === -1 ? -1 : end + 1
  }
  if (first === OPENED || first === LIST) return endOfNested(text, from)
  let end = from
  for (let at = text.charCodeAt(end); at !== COMMA && at !== CLOSED && end < text.length; at = text.charCodeAt(++end));
  const word = text.slice(from, end)
  return word === 'true' || word === 'false' || word === 'null' || NUMBER.test(word) ? end : -1
}

function endOfNested(text: string, from: number): number {
  for (let at = from, depth = 0; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (character === QUOTE) {
      at = text.indexOf('"', at + 1)
      if (at === -1) return -1
    } else if (character === OPENED || character === LIST) depth += 1
    else if ((character === CLOSED || character === LIST_END) && --depth === 0) return at + 1
  }
  return -1
}
