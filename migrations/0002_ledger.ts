// What became of everything received: counts per app and hour that move with the append, the deliveries already counted,
// and the events that were refused. Bodies of refused events are bounded per app; their counts never shrink.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('deliveries', (table) => {
    table.integer('partition').notNullable()
    table.specificType('delivery_id', 'binary(16)').notNullable()
    table.bigint('delivered_at').notNullable()
    table.primary(['partition', 'delivery_id'])
    table.index(['delivered_at'], 'deliveries_delivered_at')
  })
  await knex.schema.createTable('ledger', (table) => {
    table.specificType('app_id', 'binary(16)').notNullable()
    // Epoch milliseconds at which the hour begins.
    table.bigint('hour').notNullable()
    table.bigint('stored').notNullable()
    table.bigint('duplicate').notNullable()
    table.bigint('rejected').notNullable()
    table.primary(['app_id', 'hour'])
  })
  await knex.schema.createTable('quarantine', (table) => {
    table.specificType('app_id', 'binary(16)').notNullable()
    // Dense per app, from 1; the oldest go.
    table.bigint('number').notNullable()
    table.bigint('received_at').notNullable()
    table.string('code', 64).notNullable()
    table.text('detail').notNullable()
    table.text('body', 'mediumtext').notNullable()
    table.primary(['app_id', 'number'])
  })
  await knex.schema.createTable('quarantine_counts', (table) => {
    table.specificType('app_id', 'binary(16)').notNullable()
    table.string('code', 64).notNullable()
    table.bigint('rejected').notNullable()
    table.bigint('last_at').notNullable()
    table.primary(['app_id', 'code'])
  })
}
