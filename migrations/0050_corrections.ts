// What taking an event back needs and shows: where each person's events stand in the log, which closed days were restated by
// how much and why, and by which corrections.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('user_stats', (table) => {
    // Runs of positions; null where there are too many.
    table.specificType('positions', 'mediumblob')
  })
  await knex.schema.createTable('restatement_apps', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.bigInteger('latest_occurred_at').notNullable()
    table.primary(['build', 'app_id'])
  })
  await knex.schema.createTable('restatements', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    // The local day that was restated, the local day that the log had reached, and 0 late, 1 corrected, 2 retracted.
    table.integer('day').notNullable()
    table.integer('reached').notNullable()
    table.integer('cause').notNullable()
    table.bigInteger('events_added').notNullable()
    table.bigInteger('events_taken').notNullable()
    table.bigInteger('pageviews_added').notNullable()
    table.bigInteger('pageviews_taken').notNullable()
    table.bigInteger('first_position').notNullable()
    table.bigInteger('last_position').notNullable()
    table.primary(['build', 'app_id', 'day', 'reached', 'cause'])
    table.index(['build', 'app_id', 'reached', 'day', 'cause'], 'restatements_reached')
  })
  await knex.schema.createTable('restatement_reasons', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.integer('day').notNullable()
    // Of the correction or retraction, whose event says why.
    table.bigInteger('position').notNullable()
    table.integer('reached').notNullable()
    table.integer('cause').notNullable()
    table.primary(['build', 'app_id', 'day', 'position'])
  })
}
