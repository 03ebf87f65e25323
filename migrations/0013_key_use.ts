// When each key last brought an event, from the events themselves.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('key_use', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.specificType('key_id', 'binary(16)').notNullable()
    table.bigInteger('events').notNullable()
    table.bigInteger('last_used_at').notNullable()
    table.primary(['build', 'app_id', 'key_id'])
  })
}
