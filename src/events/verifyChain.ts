// Recomputes a partition's history from event 1: positions dense, content hashes and append chain as they were written. A
// redacted event counts as whole, because its seal holds the hash of what it said; how many there are is reported.
import type { Database } from '../kernel/database.ts'
import { LIMITS } from '../limits.ts'
import { chainFrom, EMPTY_CHAIN, isRedacted } from './sealing.ts'

export interface ChainReport {
  readonly events: number
  readonly redacted: number
  /** The first position that is not as it was appended; absent when all is whole. */
  readonly broken?: { readonly position: number; readonly reason: string }
}

interface AppendRow {
  readonly first_position: number
  readonly last_position: number
  readonly hash: Buffer
}

interface SealedRow {
  readonly position: number
  readonly seal: Buffer
  readonly data: string | null
}

interface HeadRow {
  readonly partition: number
  readonly position: number
  readonly hash: Buffer
}

/** Reads in pages, so memory stays constant; what is appended meanwhile is left for the next time. */
export async function verifyChain(
  database: Database,
  partition: number,
  onProgress: (events: number, total: number) => void = () => undefined,
): Promise<ChainReport> {
  const head = await database.knex<HeadRow>('heads').where({ partition }).first('position', 'hash')
  if (head === undefined) throw new RangeError(`there is no partition ${partition}`)
  const appends = paged<AppendRow>(database, 'appends', ['first_position', 'last_position', 'hash'], 'first_position', partition, head.position)
  const events = paged<SealedRow>(database, 'events', ['position', 'seal', 'data'], 'position', partition, head.position)
  let hash: Buffer = EMPTY_CHAIN
  let last = 0
  let redacted = 0
  const report = (position: number, reason: string): ChainReport => ({ events: last, redacted, broken: { position, reason } })
  for await (const append of appends) {
    if (append.first_position !== last + 1) return report(last + 1, 'no append covers this position')
    const chain = chainFrom(hash)
    for (let position = append.first_position; position <= append.last_position; position++) {
      const next = await events.next()
      if (next.done === true || next.value.position !== position) return report(position, 'the event is missing')
      if (isRedacted(next.value.seal)) redacted++
      chain.add(next.value.seal, next.value.data)
    }
    hash = chain.hash()
    if (!hash.equals(append.hash)) return report(append.first_position, `events ${append.first_position} to ${append.last_position} are not those appended`)
    last = append.last_position
    onProgress(last, head.position)
  }
  if (last !== head.position) return report(last + 1, 'no append covers this position')
  if (!hash.equals(head.hash)) return report(last, 'the head does not carry the hash of the last append')
  return { events: last, redacted }
}

async function* paged<Row>(
  { knex }: Database,
  table: string,
  columns: readonly string[],
  key: string,
  partition: number,
  upTo: number,
): AsyncGenerator<Row, undefined> {
  for (let after = 0; ; ) {
    const query = knex(table).where({ partition }).where(key, '>', after).where(key, '<=', upTo)
    const rows = (await query.orderBy(key).limit(LIMITS.readPageEvents).select(...columns)) as Row[]
    yield* rows
    if (rows.length < LIMITS.readPageEvents) return undefined
    after = (rows.at(-1) as Record<string, number>)[key]!
  }
}
