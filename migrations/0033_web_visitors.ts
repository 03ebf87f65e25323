// Who the visitors of an app are to the web read model, as dense numbers that bitmaps can hold: identity to ordinal, what
// kind each ordinal is, and which user an anonymous one turned out to be; and how many blocks of refs its values have.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('web_apps', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.integer('visitors').unsigned().notNullable()
    table.integer('blocks').unsigned().notNullable()
    table.primary(['build', 'app_id'])
  })
  await knex.schema.createTable('web_visitors', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.specificType('identity', 'binary(16)').notNullable()
    table.integer('ordinal').unsigned().notNullable()
    table.primary(['build', 'app_id', 'identity'])
  })
  await knex.schema.createTable('web_people', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    // Ordinals in chunks of 4,096: one byte of kind each, and pairs (ordinal, ordinal of its user) where one is linked.
    table.integer('chunk').notNullable()
    table.specificType('kinds', 'blob').notNullable()
    table.specificType('links', 'blob').notNullable()
    table.primary(['build', 'app_id', 'chunk'])
  })
}
