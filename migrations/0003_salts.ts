// The salts of cookieless visitor ids, one per app and local day. Mutable and outside the log on purpose: once a salt is
// destroyed, nobody can tell whose ids were made with it.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('salts', (table) => {
    table.specificType('app_id', 'binary(16)').notNullable()
    // The local day, YYYY-MM-DD.
    table.string('day', 10).notNullable()
    table.specificType('salt', 'binary(32)').notNullable()
    table.bigint('created_at').notNullable()
    table.bigint('destroy_after').notNullable()
    table.primary(['app_id', 'day'])
    table.index(['destroy_after'], 'salts_destroy_after')
  })
}
