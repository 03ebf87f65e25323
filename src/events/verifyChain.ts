// Proves that the log's history is as it was appended: positions dense, content hashes and append chain as they were written.
// A redacted event counts as whole, because its seal holds the hash of what it said; how many there are is reported. A large
// log is cut at appends, whose rows hold the chain's hash there, and its pieces are verified by as many threads as there are cores.
import { availableParallelism } from 'node:os'
import type { Worker } from 'node:worker_threads'
import type { Database } from '../kernel/database.ts'
import { startThread } from '../kernel/threads.ts'
import { LIMITS } from '../limits.ts'
import { openSealedRows } from './sealedRows.ts'
import type { SealedRows } from './sealedPage.ts'
import { EMPTY_CHAIN } from './sealing.ts'
import { type ChainRange, type RangeReport, verifyRange } from './verifyRange.ts'

export interface ChainReport {
  readonly events: number
  readonly redacted: number
  /** The first position that is not as it was appended; absent when all is whole. */
  readonly broken?: { readonly position: number; readonly reason: string }
}

export type PartitionReport = ChainReport & { readonly partition: number }

export interface VerifyOptions {
  /** 1: in the thread of the caller. As many as cores unless given. */
  readonly threads?: number
  /** About how many events are verified in one piece. */
  readonly rangeEvents?: number
  readonly onProgress?: (events: number, total: number) => void
}

export interface ThreadSettings {
  readonly url: string
}

/** What a thread tells: how many further events it hashed, or what became of a range. */
export type RangeTold = { readonly hashed: number } | { readonly report: RangeReport }

interface Head {
  readonly partition: number
  readonly position: number
  readonly hash: Buffer
}

/** A range of a partition, by number, and where its report goes. */
interface Piece {
  readonly of: Partition
  readonly number: number
}

interface Partition {
  readonly head: Head
  readonly ranges: readonly ChainRange[]
  readonly reports: (RangeReport | undefined)[]
}

/** Every partition up to its head of now; what is appended meanwhile is left for the next time. */
export async function verifyLog(database: Database, options: VerifyOptions = {}): Promise<PartitionReport[]> {
  const heads = await database.knex<Head>('heads').orderBy('partition').select('partition', 'position', 'hash')
  return verifyHeads(database, heads, options)
}

/** One partition, in the thread of the caller. */
export async function verifyChain(database: Database, partition: number, onProgress?: VerifyOptions['onProgress']): Promise<ChainReport> {
  const head = await database.knex<Head>('heads').where({ partition }).first('partition', 'position', 'hash')
  if (head === undefined) throw new RangeError(`there is no partition ${partition}`)
  const [report] = await verifyHeads(database, [head], { threads: 1, ...(onProgress === undefined ? {} : { onProgress }) })
  const { events, redacted, broken } = report!
  return broken === undefined ? { events, redacted } : { events, redacted, broken }
}

async function verifyHeads({ knex, url }: Database, heads: readonly Head[], options: VerifyOptions): Promise<PartitionReport[]> {
  const { rangeEvents = LIMITS.verifyRangeEvents, onProgress } = options
  const total = heads.reduce((sum, { position }) => sum + position, 0)
  const rows = await openSealedRows(url)
  try {
    const partitions: Partition[] = []
    for (const head of heads) partitions.push({ head, ranges: await rangesOf(rows, head, rangeEvents), reports: [] })
    const pieces = partitions.flatMap((of) => of.ranges.map((_, number): Piece => ({ of, number })))
    let hashed = 0
    const onHashed = (events: number): void => onProgress?.((hashed += events), total)
    const threads = Math.min(options.threads ?? availableParallelism(), pieces.length)
    if (threads > 1) await inThreads(url, threads, pieces, onHashed)
    else await inThisThread(rows, pieces, onHashed)
    const reports: PartitionReport[] = []
    for (const of of partitions) {
      const { partition } = of.head
      // In this order: an append moves the head and adds its events at once.
      const newest = await rows.newest(partition)
      const now = await knex<Head>('heads').where({ partition }).first('position')
      reports.push({ partition, ...reportOf(of, newest > (now?.position ?? 0)) })
    }
    return reports
  } finally {
    await rows.close()
  }
}

/** Cuts behind appends. A row that lies about its place cuts nothing; whoever verifies the range around it finds out. */
async function rangesOf(rows: SealedRows, { partition, position: head }: Head, rangeEvents: number): Promise<ChainRange[]> {
  const ranges: ChainRange[] = []
  let after = 0
  let hash: Uint8Array = EMPTY_CHAIN
  for (let cut = rangeEvents; cut < head; cut = Math.max(cut, after) + rangeEvents) {
    const append = await rows.appendAt(partition, cut)
    if (append === undefined || append.last <= after || append.last >= head) continue
    ranges.push({ partition, after, hash, upTo: append.last })
    after = append.last
    hash = append.hash
  }
  if (after < head) ranges.push({ partition, after, hash, upTo: head })
  return ranges
}

async function inThisThread(rows: SealedRows, pieces: readonly Piece[], onHashed: (events: number) => void): Promise<void> {
  for (const { of, number } of pieces) {
    if (isSettled(of)) continue
    let before = of.ranges[number]!.after
    of.reports[number] = await verifyRange(rows, of.ranges[number]!, (position) => {
      onHashed(position - before)
      before = position
    })
  }
}

async function inThreads(url: string, count: number, pieces: readonly Piece[], onHashed: (events: number) => void): Promise<void> {
  const workers: Worker[] = []
  const waiting = pieces.values()
  try {
    await Promise.all(
      Array.from({ length: count }, (_, number) => {
        const worker = startThread(import.meta.url, 'verifyRangeThread', { workerData: { url } satisfies ThreadSettings, name: `verify-${number}` })
        workers.push(worker)
        return feed(worker, waiting, onHashed)
      }),
    )
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}

/** Gives a thread one piece after the other until there are no more; rejects when the thread dies. */
function feed(worker: Worker, waiting: Iterator<Piece>, onHashed: (events: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let current: Piece | undefined
    const next = (): void => {
      do current = waiting.next().value as Piece | undefined
      while (current !== undefined && isSettled(current.of))
      worker.postMessage(current?.of.ranges[current.number])
    }
    worker.on('message', (told: RangeTold) => {
      if ('hashed' in told) onHashed(told.hashed)
      else {
        current!.of.reports[current!.number] = told.report
        next()
      }
    })
    worker.once('error', reject)
    worker.once('exit', () => (current === undefined ? resolve() : reject(new Error('a thread that verifies has ended'))))
    next()
  })
}

/** Pieces are given out in order, so what comes behind a break tells nothing any more. */
function isSettled({ reports }: Partition): boolean {
  return reports.some((report) => report?.broken !== undefined)
}

function reportOf({ head, ranges, reports }: Partition, isBeyondHead: boolean): ChainReport {
  let last = 0
  let redacted = 0
  let hash: Uint8Array = EMPTY_CHAIN
  const broken = (position: number, reason: string): ChainReport => ({ events: last, redacted, broken: { position, reason } })
  for (const [number, range] of ranges.entries()) {
    // The row that the log was cut at changed while it was verified.
    if (Buffer.compare(range.hash, hash) !== 0) return broken(last, `the append up to ${last} changed meanwhile`)
    const report = reports[number]!
    last = report.last
    redacted += report.redacted
    if (report.broken !== undefined) return broken(report.broken.position, report.broken.reason)
    hash = report.hash
  }
  if (Buffer.compare(hash, head.hash) !== 0) return broken(last, 'the head does not carry the hash of the last append')
  if (isBeyondHead) return broken(last + 1, 'no append covers this position')
  return { events: last, redacted }
}
