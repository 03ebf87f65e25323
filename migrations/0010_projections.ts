// Where every projection stands: which of its builds is live, how far each build has folded each partition and who may move
// it, what each app's rows are, and which events it could not digest.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('projections', (table) => {
    table.string('projection', 64).notNullable().primary()
    table.integer('live_build').notNullable()
    table.integer('next_build').notNullable()
  })
  await knex.schema.createTable('projection_builds', (table) => {
    table.string('projection', 64).notNullable()
    table.integer('build').notNullable()
    table.integer('code_version').notNullable()
    table.string('status', 16).notNullable()
    // A build of one app belongs to the whole build (`parent`) in which it takes the place of that app's rows.
    table.specificType('app_id', 'binary(16)')
    table.integer('parent')
    table.string('timezone', 64)
    table.bigInteger('zone_position').notNullable().defaultTo(0)
    table.bigInteger('created_at').notNullable()
    table.bigInteger('live_at')
    table.string('error', 1000)
    table.bigInteger('events_folded').notNullable().defaultTo(0)
    table.bigInteger('events_total').notNullable().defaultTo(0)
    table.integer('events_per_second').notNullable().defaultTo(0)
    table.bigInteger('progress_at')
    table.primary(['projection', 'build'])
  })
  await knex.schema.createTable('projection_checkpoints', (table) => {
    table.string('projection', 64).notNullable()
    table.integer('build').notNullable()
    table.integer('partition').notNullable()
    table.bigInteger('position').notNullable().defaultTo(0)
    table.bigInteger('recorded_at').notNullable().defaultTo(0)
    // Rises whenever the lease changes hands or an app's rows move: whoever folded under an older one writes nothing.
    table.bigInteger('fence').notNullable().defaultTo(0)
    table.string('owner', 64)
    table.primary(['projection', 'build', 'partition'])
  })
  await knex.schema.createTable('projection_workers', (table) => {
    table.string('owner', 64).notNullable().primary()
    table.string('serves', 16).notNullable()
    table.bigInteger('beat').notNullable().defaultTo(0)
    table.bigInteger('renewed_at').notNullable()
  })
  await knex.schema.createTable('projection_apps', (table) => {
    table.string('projection', 64).notNullable()
    // The whole build; `rows_build` is where this app's rows are, the same unless the app was rebuilt alone.
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.integer('rows_build').notNullable()
    table.integer('partition').notNullable()
    table.string('timezone', 64).notNullable()
    table.string('wanted_timezone', 64)
    table.bigInteger('zone_position').notNullable().defaultTo(0)
    table.bigInteger('last_position').notNullable().defaultTo(0)
    table.bigInteger('last_recorded_at').notNullable().defaultTo(0)
    table.primary(['projection', 'build', 'app_id'])
    table.index(['projection', 'build', 'wanted_timezone'], 'projection_apps_wanted')
  })
  await knex.schema.createTable('dead_events', (table) => {
    table.string('projection', 64).notNullable()
    table.integer('build').notNullable()
    table.integer('partition').notNullable()
    table.bigInteger('position').notNullable()
    table.specificType('event_id', 'binary(16)').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.string('error', 1000).notNullable()
    table.bigInteger('recorded_at').notNullable()
    table.primary(['projection', 'build', 'partition', 'position'])
  })
}
