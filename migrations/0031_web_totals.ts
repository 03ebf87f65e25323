// The web read model's totals: per app, local day and bot what a day adds up to, with counted visitors (who, and how many
// contributions support each). Quarters of an hour stand packed in their day's row while the day is small, and as rows of
// their own once it is large.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('web_days', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.integer('day').notNullable()
    table.integer('bot').notNullable()
    table.bigInteger('events').notNullable()
    table.bigInteger('pageviews').notNullable()
    table.bigInteger('visits').notNullable()
    table.bigInteger('bounces').notNullable()
    // Visits with a pageview, and the pageviews of those: what bounce rate and views per visit range over.
    table.bigInteger('pageview_visits').notNullable()
    table.bigInteger('views_in_them').notNullable()
    table.bigInteger('duration_ms').notNullable()
    table.specificType('visitors', 'mediumblob').notNullable()
    table.specificType('slots', 'mediumblob')
    table.primary(['build', 'app_id', 'day', 'bot'])
  })
  await knex.schema.createTable('web_slots', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.integer('day').notNullable()
    table.integer('bot').notNullable()
    table.integer('slot').notNullable()
    table.specificType('content', 'mediumblob').notNullable()
    table.primary(['build', 'app_id', 'day', 'bot', 'slot'])
  })
}
