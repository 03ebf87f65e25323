// The read model of persons: one row per identity (userId, anonymousId, cookieless id), and which user an anonymous one
// turned out to be, so that a question about the user unites their rows.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('user_stats', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.specificType('identity', 'binary(16)').notNullable()
    table.bigInteger('events').notNullable()
    table.bigInteger('first_seen').notNullable()
    table.bigInteger('last_seen').notNullable()
    // JSON: newest device, browser, system and address with their times, and the latest events.
    table.specificType('detail', 'mediumblob').notNullable()
    table.primary(['build', 'app_id', 'identity'])
  })
  await knex.schema.createTable('user_stats_links', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.specificType('identity', 'binary(16)').notNullable()
    table.specificType('user_identity', 'binary(16)').notNullable()
    table.primary(['build', 'app_id', 'identity'])
    table.index(['build', 'app_id', 'user_identity'], 'user_stats_links_user')
  })
}
