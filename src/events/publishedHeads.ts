// The heads of the append chain in a form to publish: whoever keeps a copy where the operator cannot change it can later tell
// whether history up to there was rewritten, which no check inside the log can. Hashes reveal nothing of what was stored.
import { hash } from 'node:crypto'
import type { Head } from './eventLog.ts'

export interface PublishedHead {
  readonly partition: number
  /** The last position of an append. */
  readonly position: number
  /** Of the chain up to there, 64 hex digits. */
  readonly hash: string
}

export interface PublishedHeads {
  /** When they were read, as ISO 8601 in UTC: what they cover was stored by then. */
  readonly at: string
  readonly partitions: readonly PublishedHead[]
}

/** Text that holds no published heads, or damaged ones. */
export class NoHeads extends Error {
  constructor(detail: string) {
    super(detail)
    this.name = 'NoHeads'
  }
}

/** Of the partitions that hold anything. */
export function publish(heads: readonly Head[], nowMs: number): PublishedHeads {
  const partitions = heads
    .filter(({ position }) => position > 0)
    .map(({ partition, position, hash: chain }) => ({ partition, position, hash: Buffer.from(chain).toString('hex') }))
  return { at: new Date(nowMs).toISOString(), partitions }
}

const NAME = 'recount-heads'

/** One line without a line break. Its second word is the hash of what follows, so where space is dear the first two words are enough. */
export function headsLine({ at, partitions }: PublishedHeads): string {
  const rest = [at, ...partitions.map(({ partition, position, hash: chain }) => `${partition}:${position}:${chain}`)].join(' ')
  return `${NAME} sha256:${hash('sha256', rest)} ${rest}`
}

const INSTANT = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`
const LINE = new RegExp(String.raw`${NAME}\s+sha256:([0-9a-f]{64})\s+(${INSTANT})((?:\s+\d{1,4}:\d{1,15}:[0-9a-f]{64})*)`, 'g')

/** All that a text holds, as lines (also wrapped, among other text) or as JSON (one, or a list). Throws NoHeads. */
export function readHeads(text: string): PublishedHeads[] {
  const found = /^\s*[[{]/.test(text) ? fromJson(text) : fromLines(text)
  if (found.length === 0) throw new NoHeads(`no published heads: a line begins with ${NAME}, JSON has at and partitions`)
  return found
}

function fromLines(text: string): PublishedHeads[] {
  // Counted apart, so that a line that is cut or mistyped is not passed over.
  const named = text.split(new RegExp(String.raw`${NAME}\s`)).length - 1
  const found = [...text.matchAll(LINE)].map(([, sum, at, rest]) => {
    const words = rest!.trim().split(/\s+/).filter((word) => word !== '')
    if (hash('sha256', [at, ...words].join(' ')) !== sum) throw new NoHeads(`the published heads of ${at!} are not whole: their hash is another`)
    const partitions = words.map((word): PublishedHead => {
      const [partition, position, chain] = word.split(':') as [string, string, string]
      return { partition: Number(partition), position: Number(position), hash: chain }
    })
    return { at: at!, partitions }
  })
  if (found.length !== named) throw new NoHeads('a line of published heads is not whole')
  return found
}

function fromJson(text: string): PublishedHeads[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new NoHeads(`the published heads are not JSON: ${(cause as Error).message}`)
  }
  const list: unknown[] = Array.isArray(value) ? value : [value]
  if (!list.every(isPublished)) throw new NoHeads('published heads have at and partitions, each with partition, position and hash')
  return list
}

function isPublished(value: unknown): value is PublishedHeads {
  const { at, partitions } = (value ?? {}) as Partial<PublishedHeads>
  return typeof at === 'string' && new RegExp(`^${INSTANT}$`).test(at) && Array.isArray(partitions) && partitions.every(isHead)
}

function isHead(value: unknown): value is PublishedHead {
  const { partition, position, hash: chain } = (value ?? {}) as Partial<PublishedHead>
  return Number.isSafeInteger(partition) && Number.isSafeInteger(position) && /^[0-9a-f]{64}$/.test(String(chain))
}
