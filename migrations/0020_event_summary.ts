// The read model of events: counts by device and exact visitors per app, event name (event_key 0…0 is all events), bot and
// local day. Quarters of an hour stand packed in their day's row while the day is small, and as rows of their own once it
// is large, so that a busy day is not rewritten whole and a quiet history has few rows.
import type { Knex } from 'knex'

const DEVICES = ['desktop', 'mobile', 'tablet', 'tv', 'console', 'wearable', 'other', 'unknown']

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('event_summary_names', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.specificType('event_key', 'binary(16)').notNullable()
    table.string('name', 128).notNullable()
    table.primary(['build', 'app_id', 'event_key'])
  })
  await knex.schema.createTable('event_summary_days', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.specificType('event_key', 'binary(16)').notNullable()
    table.integer('day').notNullable()
    table.integer('bot').notNullable()
    table.bigInteger('events').notNullable()
    for (const device of DEVICES) table.bigInteger(device).notNullable()
    table.specificType('visitors', 'mediumblob').notNullable()
    table.specificType('slots', 'mediumblob')
    table.primary(['build', 'app_id', 'event_key', 'day', 'bot'])
  })
  await knex.schema.createTable('event_summary_slots', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.specificType('event_key', 'binary(16)').notNullable()
    table.integer('day').notNullable()
    table.integer('bot').notNullable()
    table.integer('slot').notNullable()
    table.specificType('content', 'mediumblob').notNullable()
    table.primary(['build', 'app_id', 'event_key', 'day', 'bot', 'slot'])
  })
}
