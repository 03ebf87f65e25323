// Proves that the log still passes through heads that were published: the chain, recomputed from event 1, has that hash at
// that position. A history that was rewritten with all of its hashes is whole in itself; only this tells it from the true one.
import type { Database } from '../kernel/database.ts'
import type { PublishedHead, PublishedHeads } from './publishedHeads.ts'
import { openSealedRows } from './sealedRows.ts'
import type { SealedRows } from './sealedPage.ts'
import type { PartitionReport } from './verifyChain.ts'

export interface CheckedHeads {
  readonly at: string
  /** Events that were stored by then, as published. */
  readonly events: number
  /** Heads that the log does not pass through; empty when all of history up to then is what it was. */
  readonly differences: readonly { readonly partition: number; readonly position: number; readonly reason: string }[]
}

/** `chains`: what verifyLog found just before; nothing is said for what lies behind a break. In the order published. */
export async function verifyPublished(database: Database, published: readonly PublishedHeads[], chains: readonly PartitionReport[]): Promise<CheckedHeads[]> {
  const byPartition = new Map(chains.map((chain) => [chain.partition, chain]))
  const rows = await openSealedRows(database.url)
  try {
    const checked: CheckedHeads[] = []
    for (const { at, partitions } of published) {
      const differences: CheckedHeads['differences'][number][] = []
      for (const head of partitions) {
        const reason = await differenceOf(rows, head, byPartition.get(head.partition))
        if (reason !== undefined) differences.push({ partition: head.partition, position: head.position, reason })
      }
      checked.push({ at, events: partitions.reduce((sum, { position }) => sum + position, 0), differences })
    }
    return checked
  } finally {
    await rows.close()
  }
}

async function differenceOf(rows: SealedRows, { partition, position, hash }: PublishedHead, chain: PartitionReport | undefined): Promise<string | undefined> {
  if (chain === undefined) return 'the log has no such partition'
  if (position > chain.events) return chain.broken === undefined ? `the log ends at position ${chain.events}` : `the log is broken at position ${chain.broken.position}`
  const append = await rows.appendAt(partition, position)
  if (append?.last !== position) return 'no append ends at this position'
  return append.hash.toString('hex') === hash ? undefined : 'the history up to this position is not the one that was published'
}
