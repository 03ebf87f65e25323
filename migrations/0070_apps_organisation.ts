// Which organisation an app belongs to; null in rows that were folded before there were several: the first one.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('apps', (table) => {
    table.specificType('organisation_id', 'binary(16)')
  })
}
