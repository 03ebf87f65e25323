// From ordinals to people: a visitor who turned out to be a user counts as that user, from the first event on (METRICS).
import type { Knex } from 'knex'
import { DistinctSet } from '../projections/sets/distinctSet.ts'
import { bytesOf } from '../projections/storage/rows.ts'
import { linkPairs } from '../projections/visitors/visitorIndex.ts'

interface OfApp {
  readonly build: number
  readonly app_id: Buffer
}

/** Users by the ordinals of those who turned out to be them. */
export async function readLinks(trx: Knex, these: OfApp): Promise<Map<number, number>> {
  const links = new Map<number, number>()
  for (const bytes of await linkBytes(trx, these)) for (const [ordinal, user] of linkPairs(bytes)) links.set(ordinal, user)
  return links
}

/** Replaces linked visitors in the set by their users. */
export async function applyLinks(trx: Knex, these: OfApp, visitors: DistinctSet): Promise<void> {
  if (visitors.size === 0) return
  for (const bytes of await linkBytes(trx, these)) {
    for (const [ordinal, user] of linkPairs(bytes)) if (visitors.delete(ordinal)) visitors.add(user)
  }
}

async function linkBytes(trx: Knex, these: OfApp): Promise<Buffer[]> {
  const rows = await trx('event_summary_people')
    .where(these)
    .where('links', '<>', Buffer.alloc(0))
    .select<{ links: Uint8Array | ArrayBuffer }[]>('links')
  return rows.map(({ links }) => bytesOf(links))
}
