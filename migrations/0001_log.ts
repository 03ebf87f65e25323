// The log: events in their partitions, the heads that appends lock, the chain of appends, and the streams of aggregates.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('log_settings', (table) => {
    table.string('name', 64).notNullable().primary()
    table.string('value', 255).notNullable()
  })
  await knex.schema.createTable('heads', (table) => {
    table.integer('partition').notNullable().primary()
    table.bigint('position').notNullable()
    table.bigint('recorded_at').notNullable()
    table.specificType('hash', 'binary(32)').notNullable()
  })
  await knex.schema.createTable('events', (table) => {
    table.integer('partition').notNullable()
    table.bigint('position').notNullable()
    table.specificType('event_id', 'binary(16)').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.string('type', 64).notNullable()
    table.integer('schema_version').notNullable()
    table.bigint('occurred_at').notNullable()
    table.bigint('recorded_at').notNullable()
    table.string('stream', 128)
    table.integer('stream_version')
    // Not MySQL's JSON type, which reorders keys: these are the exact bytes appended.
    table.text('data', 'mediumtext')
    table.text('meta', 'mediumtext')
    // 8 random bytes; after redaction the 32 bytes of the original content hash.
    table.specificType('seal', 'varbinary(32)').notNullable()
    table.primary(['partition', 'position'])
    table.unique(['app_id', 'event_id'], { indexName: 'events_app_event' })
    table.index(['app_id', 'position'], 'events_app_position')
  })
  await knex.schema.createTable('appends', (table) => {
    table.integer('partition').notNullable()
    table.bigint('first_position').notNullable()
    table.bigint('last_position').notNullable()
    table.specificType('hash', 'binary(32)').notNullable()
    table.primary(['partition', 'first_position'])
  })
  await knex.schema.createTable('streams', (table) => {
    table.integer('partition').notNullable()
    table.specificType('stream_key', 'binary(16)').notNullable()
    table.integer('version').notNullable()
    table.bigint('position').notNullable()
    table.primary(['partition', 'stream_key', 'version'])
  })
}
