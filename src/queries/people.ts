// From ordinals to people: a visitor who turned out to be a user counts as that user, from the first event on (METRICS).
import type { Knex } from 'knex'
import { DistinctSet } from '../projections/distinctSet.ts'
import { bytesOf } from '../projections/rows.ts'

/** Replaces linked visitors in the set by their users. */
export async function applyLinks(trx: Knex, these: { readonly build: number; readonly app_id: Buffer }, visitors: DistinctSet): Promise<void> {
  if (visitors.size === 0) return
  const rows = await trx('event_summary_people')
    .where(these)
    .where('links', '<>', Buffer.alloc(0))
    .select<{ links: Uint8Array | ArrayBuffer }[]>('links')
  for (const { links } of rows) {
    const bytes = bytesOf(links)
    for (let at = 0; at < bytes.length; at += 8) {
      if (visitors.delete(bytes.readUInt32LE(at))) visitors.add(bytes.readUInt32LE(at + 4))
    }
  }
}
