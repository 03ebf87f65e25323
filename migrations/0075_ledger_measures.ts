// The ledger's second measure: events by the hour in which the log recorded them, which together are as many as were stored;
// and what became of events in quarantine, by whom and when.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('ledger', (table) => {
    for (const column of ['released', 'discarded', 'recorded']) table.bigint(column).notNullable().defaultTo(0)
  })
  await knex.schema.alterTable('quarantine', (table) => {
    table.integer('via_public_key').notNullable().defaultTo(0)
    // `released` or `discarded`; null while it stands.
    table.string('resolution', 16)
    table.bigint('resolved_at')
    table.specificType('resolved_by', 'binary(16)')
    table.specificType('event_id', 'binary(16)')
  })
}
