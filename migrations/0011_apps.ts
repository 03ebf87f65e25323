// The read model of apps: what GET /apps answers from.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('apps', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.specificType('owner_id', 'binary(16)').notNullable()
    table.string('name', 128).notNullable()
    table.text('url')
    table.string('timezone', 64).notNullable()
    table.string('ip', 16).notNullable()
    table.text('keep_query').notNullable()
    table.bigInteger('created_at').notNullable()
    table.bigInteger('updated_at').notNullable()
    table.bigInteger('deleted_at')
    table.primary(['build', 'app_id'])
  })
}
