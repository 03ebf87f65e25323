// The web read model's visits: one row per run of a client's carrying events, with all that adding to it, uniting it with
// its neighbour and listing it takes. Rows stand by client and first event, so the run around any instant is one range.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('web_visit_apps', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    // No run of a client without sessionId is longer: bounds where a run that reaches an instant can have begun.
    table.bigInteger('longest_ms').notNullable()
    table.primary(['build', 'app_id'])
  })
  await knex.schema.createTable('web_visits', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.specificType('client', 'binary(16)').notNullable()
    table.bigInteger('start_at').notNullable()
    table.bigInteger('end_at').notNullable()
    // Where the visit starts, with its first interactive event; null while there is none.
    table.bigInteger('visit_at')
    table.integer('bot').notNullable()
    // The lowest ordinal among its visitors; -1 without any.
    table.integer('visitor').notNullable()
    table.specificType('content', 'mediumblob').notNullable()
    table.primary(['build', 'app_id', 'client', 'start_at'])
    table.index(['build', 'app_id', 'visitor', 'visit_at'], 'web_visits_visitor')
  })
  // Further visitors of a visit: one signs in, or two people share a client.
  await knex.schema.createTable('web_visit_visitors', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.integer('visitor').notNullable()
    table.bigInteger('visit_at').notNullable()
    table.specificType('client', 'binary(16)').notNullable()
    table.bigInteger('start_at').notNullable()
    table.primary(['build', 'app_id', 'visitor', 'visit_at', 'client'])
  })
  // Log positions of visits with very many events, in pieces that are written once.
  await knex.schema.createTable('web_visit_positions', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.specificType('client', 'binary(16)').notNullable()
    table.bigInteger('first_position').notNullable()
    table.specificType('positions', 'mediumblob').notNullable()
    table.primary(['build', 'app_id', 'client', 'first_position'])
  })
}
