// Counts by hour of recording what was in the log before the ledger did. It sets and does not add, so that one that was
// interrupted begins again.
import type { Knex } from 'knex'

const HOUR = 'recorded_at - recorded_at % 3600000'
const ROWS = 500

interface Recorded {
  readonly app_id: Uint8Array | ArrayBuffer
  readonly hour: number | string
  readonly recorded: number | string
}

export async function up(knex: Knex): Promise<void> {
  const none = { duplicate: 0, rejected: 0, stored: 0 }
  for (const { partition } of await knex('heads').select<{ partition: number }[]>('partition')) {
    const counted = await knex('events')
      .where({ partition })
      .whereNull('stream')
      .groupByRaw(`app_id, ${HOUR}`)
      .select<Recorded[]>('app_id', knex.raw(`${HOUR} as hour`), knex.raw('count(*) as recorded'))
    for (let start = 0; start < counted.length; start += ROWS) {
      const rows = counted.slice(start, start + ROWS).map(({ app_id, ...row }) => ({ app_id: app_id instanceof ArrayBuffer ? Buffer.from(app_id) : app_id, ...none, ...row }))
      await knex('ledger').insert(rows).onConflict(['app_id', 'hour']).merge(['recorded'])
    }
  }
}
