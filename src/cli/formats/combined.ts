// The combined log format of Apache and nginx, one request a line:
//   host ident user [time] "request" status bytes "referrer" "agent"
// Scanned by hand, in time linear in the line: lines come from strangers, and a regular expression that backtracks would
// let one of them stop an import. What follows the agent (fields that servers add) is passed over.

export interface CombinedLine {
  host: string
  user: string | undefined
  /** Epoch milliseconds. */
  time: number
  /** The request as it stands; method and target are parts of it when it is one. */
  request: string
  method: string | undefined
  target: string | undefined
  status: number
  /** undefined where the server wrote `-`. */
  bytes: number | undefined
  referrer: string | undefined
  agent: string | undefined
}

/** The line's parts, or what is wrong with it in words. */
export function parseCombined(text: string): CombinedLine | string {
  const hostEnd = text.indexOf(' ')
  const identEnd = hostEnd < 1 ? -1 : text.indexOf(' ', hostEnd + 1)
  if (identEnd === -1) return 'does not begin with host, ident and user'
  const open = text.indexOf(' [', identEnd)
  if (open === -1) return 'has no time in brackets'
  const close = text.indexOf('] "', open)
  if (close === -1) return 'has no request in quotes after the time'
  const time = parseClfTime(text.slice(open + 2, close))
  if (time === undefined) return `has a time that is none: ${text.slice(open + 2, Math.min(close, open + 42))}`
  const requestEnd = quoteEnd(text, close + 3)
  if (requestEnd === -1) return 'has an unterminated quote in the request'
  const numbers = /^ (\d{3}) (\d{1,15}|-)(?: |$)/.exec(text.slice(requestEnd + 1, requestEnd + 32))
  if (numbers === null) return 'has no status and bytes after the request'
  const tail = tailOf(text, requestEnd + numbers[0].length + 1)
  if (typeof tail === 'string') return tail
  const user = text.slice(identEnd + 1, open)
  const request = unescaped(text.slice(close + 3, requestEnd))
  const parts = /^([A-Z][A-Z_-]{0,31}) (\S+)(?: HTTP\/\d(?:\.\d)?)?$/.exec(request)
  return {
    host: text.slice(0, hostEnd),
    user: dashless(user),
    time,
    request,
    method: parts?.[1],
    target: parts?.[2],
    status: Number(numbers[1]),
    bytes: numbers[2] === '-' ? undefined : Number(numbers[2]),
    ...tail,
  }
}

function tailOf(text: string, at: number): { referrer: string | undefined; agent: string | undefined } | string {
  if (text[at] !== '"') return 'has no referrer in quotes (the common format? the combined one has referrer and agent)'
  const referrerEnd = quoteEnd(text, at + 1)
  if (referrerEnd === -1) return 'has an unterminated quote in the referrer'
  if (text.slice(referrerEnd + 1, referrerEnd + 3) !== ' "') return 'has no user agent in quotes'
  const agentEnd = quoteEnd(text, referrerEnd + 3)
  if (agentEnd === -1) return 'has an unterminated quote in the user agent'
  if (agentEnd + 1 < text.length && text[agentEnd + 1] !== ' ') return 'goes on right after the user agent'
  return {
    referrer: dashless(unescaped(text.slice(at + 1, referrerEnd))),
    agent: dashless(unescaped(text.slice(referrerEnd + 3, agentEnd))),
  }
}

/** Index of the quote that ends a text which starts at `from`; quotes behind an odd number of backslashes belong to it. */
function quoteEnd(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0
    while (at - 1 - backslashes >= from && text[at - 1 - backslashes] === '\\') backslashes++
    if (backslashes % 2 === 0) return at
  }
  return -1
}

const ESCAPE = /(?:\\x[0-9a-fA-F]{2})+|\\(["\\nrtbvf])/g
const NAMED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', v: '\v', f: '\f' }

/** Servers write what is not printable as \xHH, byte by byte, and quotes as \": this puts the text back together. */
function unescaped(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(ESCAPE, (match, named: string | undefined) =>
    named === undefined ? Buffer.from(match.replaceAll('\\x', ''), 'hex').toString('utf8') : (NAMED[named] ?? named),
  )
}

function dashless(text: string): string | undefined {
  return text === '-' || text === '' ? undefined : text
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const CLF_TIME = /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/

/** `17/May/2015:10:05:03 +0000` as epoch milliseconds; undefined when there is no such moment. */
export function parseClfTime(text: string): number | undefined {
  const match = CLF_TIME.exec(text)
  if (match === null) return undefined
  const [day, year, hour, minute, second, offsetHours, offsetMinutes] = [1, 3, 4, 5, 6, 8, 9].map((n) => Number(match[n])) as [
    number, number, number, number, number, number, number,
  ]
  const month = MONTHS.indexOf(match[2]!)
  if (month === -1 || hour > 23 || minute > 59 || second > 60 || offsetHours > 14 || offsetMinutes > 59) return undefined
  const date = Date.UTC(year, month, day)
  if (new Date(date).getUTCDate() !== day) return undefined
  const offset = (match[7] === '-' ? -1 : 1) * (offsetHours * 60 + offsetMinutes)
  return date + ((hour * 60 + minute - offset) * 60 + second) * 1000
}
