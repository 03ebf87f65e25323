// How many requests a key may make in a minute; null: no limit of its own.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('api_keys', (table) => {
    table.integer('requests_per_minute')
  })
}
