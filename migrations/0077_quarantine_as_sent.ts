// What the release of an event as it is has to know beside its body: the clock correction of the request that it came in, and
// whether more of it was reduced than is of an event that is taken.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('quarantine', (table) => {
    table.bigint('skew_ms').notNullable().defaultTo(0)
    table.integer('altered').notNullable().defaultTo(0)
  })
}
