// What an operator says of a rebuild under way, and what a trial build would change: kept with the build, so that any process
// can be told and any process can tell.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('projection_builds', (table) => {
    table.integer('paused').notNullable().defaultTo(0)
    // JSON: what a comparison with the live build found.
    table.text('report', 'mediumtext')
  })
}
