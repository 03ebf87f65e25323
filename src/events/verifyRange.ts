// Recomputes a stretch of a partition's history from one append's stored hash to another's: positions dense, content hashes
// and chain as they were written. Stretches need nothing of each other, so several threads share a log.
import { createHash, hash } from 'node:crypto'
import { LIMITS } from '../limits.ts'
import { HASH_BYTES, SEAL_BYTES } from './sealing.ts'
import type { AppendMark, SealedPage, SealedRows } from './sealedPage.ts'

export interface ChainRange {
  readonly partition: number
  /** The last position of the append before, and the hash stored with it. */
  readonly after: number
  readonly hash: Uint8Array
  /** The last position of the range's last append. */
  readonly upTo: number
}

export interface RangeReport {
  /** The last position that is proven to be as it was appended. */
  readonly last: number
  readonly redacted: number
  /** The first position that is not as it was appended; absent when all is whole. */
  readonly broken?: { readonly position: number; readonly reason: string }
  /** Of the chain at `last`. */
  readonly hash: Uint8Array
}

/** Reads in pages, the next while one is hashed, so memory stays constant; `onPage` hears the last position that was hashed. */
export async function verifyRange(rows: SealedRows, range: ChainRange, onPage: (position: number) => void = () => undefined): Promise<RangeReport> {
  const { partition, after, upTo } = range
  const events = new Cursor(rows, partition, after, upTo)
  let last = after
  let chained: Buffer = Buffer.from(range.hash)
  let redacted = 0
  const chain = new ChainHash()
  const broken = (position: number, reason: string): RangeReport => ({ last, redacted, hash: chained, broken: { position, reason } })
  for await (const append of marks(rows, partition, after, upTo)) {
    if (append.first !== last + 1) return broken(last + 1, 'no append covers this position')
    chain.begin(chained)
    for (let position = append.first; position <= append.last; ) {
      if (events.index === events.page.count && !(await events.next())) return broken(position, 'the event is missing')
      const { page } = events
      const end = Math.min(append.last, position + page.count - events.index - 1)
      for (; position <= end; position++, events.index++) {
        if (page.position(events.index) !== position) return broken(position, 'the event is missing')
        const sealBytes = page.sealBytes(events.index)
        if (sealBytes === HASH_BYTES) redacted++
        else if (sealBytes !== SEAL_BYTES) return broken(position, 'the seal is none')
        chain.add(page.sealed(events.index), sealBytes)
      }
      onPage(position - 1)
    }
    chained = chain.end()
    if (!chained.equals(append.hash)) return broken(append.first, notAppended(append))
    last = append.last
  }
  return last === upTo ? { last, redacted, hash: chained } : broken(last + 1, 'no append covers this position')
}

function notAppended({ first, last }: AppendMark): string {
  return first === last ? 'the event is not the one appended' : `events ${first} to ${last} are not those appended`
}

/** All appends that begin in a range. */
async function* marks(rows: SealedRows, partition: number, after: number, upTo: number): AsyncGenerator<AppendMark, undefined> {
  const limit = LIMITS.readPageEvents
  for (let next = rows.appends(partition, after, upTo, limit); ; ) {
    const page = await next
    // What is read ahead and not wanted any more must not end the process when it fails.
    if (page.length === limit) (next = rows.appends(partition, page.at(-1)!.first, upTo, limit)).catch(() => undefined)
    yield* page
    if (page.length < limit) return undefined
  }
}

/** Goes through a range's events page by page; pages are as long as their bytes allow. */
class Cursor {
  page = NO_PAGE
  index = 0
  private asked = FIRST_PAGE_EVENTS
  private ahead: Promise<SealedPage>

  constructor(
    private readonly rows: SealedRows,
    private readonly partition: number,
    after: number,
    private readonly upTo: number,
  ) {
    this.ahead = this.read(after)
  }

  /** False at the end. */
  async next(): Promise<boolean> {
    this.page = await this.ahead
    this.index = 0
    const { count, bytes } = this.page
    if (count === 0) return false
    const last = this.page.position(count - 1)
    if (count < this.asked) this.ahead = Promise.resolve(NO_PAGE)
    else {
      this.asked = Math.max(1, Math.min(LIMITS.verifyPageEvents, Math.floor((LIMITS.verifyPageBytes * count) / Math.max(1, bytes))))
      this.ahead = this.read(last)
    }
    return true
  }

  private read(after: number): Promise<SealedPage> {
    const page = this.rows.page(this.partition, after, this.upTo, this.asked)
    page.catch(() => undefined)
    return page
  }
}

/** Small, because nobody knows yet how long events are. */
const FIRST_PAGE_EVENTS = 256

const NO_PAGE: SealedPage = {
  count: 0,
  bytes: 0,
  position: () => 0,
  sealBytes: () => 0,
  sealed: () => new Uint8Array(),
}

/** The hash of one append after the other, in constant memory however many events its row claims. */
class ChainHash {
  private readonly contents = Buffer.allocUnsafe(2_048 * HASH_BYTES)
  private size = 0
  private all: ReturnType<typeof createHash> | undefined

  begin(previous: Buffer): void {
    this.size = previous.copy(this.contents)
    this.all = undefined
  }

  add(sealed: Uint8Array, sealBytes: number): void {
    if (this.size === this.contents.length) {
      this.all = (this.all ?? createHash('sha256')).update(this.contents)
      this.size = 0
    }
    if (sealBytes === HASH_BYTES) this.contents.set(sealed.subarray(0, HASH_BYTES), this.size)
    // As a binary string, because a buffer costs as much as the hash.
    else this.contents.write(hash('sha256', sealed, 'binary'), this.size, 'binary')
    this.size += HASH_BYTES
  }

  end(): Buffer {
    const rest = this.contents.subarray(0, this.size)
    return this.all === undefined ? hash('sha256', rest, 'buffer') : this.all.update(rest).digest()
  }
}
