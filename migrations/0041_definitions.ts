// The read model of goals and reports: cells of sums and counted sets per definition and revision, interval and group of
// values, and who the visitors are, of apps that have defined any.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('def_cells', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    // Of zeros with revision 0: all events of the app, per local day.
    table.specificType('definition', 'binary(16)').notNullable()
    table.integer('revision').notNullable()
    // Epoch milliseconds at which it starts: a local day, or a quarter of an hour of reports by the hour.
    table.bigInteger('bucket').notNullable()
    table.integer('bot').notNullable()
    table.specificType('group_key', 'binary(16)').notNullable()
    // JSON: the values of the report's dimensions.
    table.text('group_values', 'mediumtext').notNullable()
    table.bigInteger('events').notNullable()
    table.specificType('visitors', 'mediumblob').notNullable()
    // Per number that is measured, or per currency: its label and the numbers counted by value.
    table.specificType('numbers', 'mediumblob').notNullable()
    table.primary(['build', 'app_id', 'definition', 'revision', 'bucket', 'bot', 'group_key'])
  })
  await knex.schema.createTable('def_apps', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.integer('visitors').unsigned().notNullable()
    table.primary(['build', 'app_id'])
  })
  await knex.schema.createTable('def_visitors', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.specificType('identity', 'binary(16)').notNullable()
    table.integer('ordinal').unsigned().notNullable()
    table.primary(['build', 'app_id', 'identity'])
  })
  await knex.schema.createTable('def_people', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    // Ordinals in chunks of 4,096: one byte of kind each, and pairs (ordinal, ordinal of its user) where one is linked.
    table.integer('chunk').notNullable()
    table.specificType('kinds', 'blob').notNullable()
    table.specificType('links', 'blob').notNullable()
    table.primary(['build', 'app_id', 'chunk'])
  })
}
