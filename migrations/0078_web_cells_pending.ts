// Changes of large rows of web_cells that are not in their content yet (src/projections/web/pending.ts). Null where there are
// none: rows written before are as they were.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('web_cells', (table) => {
    table.specificType('pending', 'mediumblob')
  })
}
