// The web read model's breakdowns: the values of dimensions as numbers per app (refs, given out to a dimension in blocks of
// 64), which values a day has, and per dimension, day, block and bot one row with what each of the block's values counts.
// A breakdown of any range is one read in primary-key order.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('web_dimensions', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.specificType('dimension_key', 'binary(16)').notNullable()
    table.specificType('dimension', 'blob').notNullable()
    // The ref of its next value; a multiple of 64 when its blocks are full.
    table.integer('next_ref').unsigned().notNullable()
    table.primary(['build', 'app_id', 'dimension_key'])
  })
  await knex.schema.createTable('web_values', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.specificType('value_key', 'binary(16)').notNullable()
    table.integer('ref').unsigned().notNullable()
    table.specificType('dimension_key', 'binary(16)').notNullable()
    // UTF-8, compared by its bytes alone.
    table.specificType('value', 'mediumblob').notNullable()
    table.primary(['build', 'app_id', 'value_key'])
    table.index(['build', 'app_id', 'ref'], 'web_values_refs')
    table.index(['build', 'app_id', 'dimension_key', 'ref'], 'web_values_dimension')
  })
  await knex.schema.createTable('web_value_days', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.specificType('dimension_key', 'binary(16)').notNullable()
    table.integer('day').notNullable()
    // How many values events of the day have said, up to the bound, and which.
    table.integer('known').notNullable()
    table.specificType('refs', 'mediumblob').notNullable()
    table.primary(['build', 'app_id', 'dimension_key', 'day'])
  })
  await knex.schema.createTable('web_cells', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.specificType('dimension_key', 'binary(16)').notNullable()
    table.integer('day').notNullable()
    table.integer('block').unsigned().notNullable()
    table.integer('bot').notNullable()
    table.specificType('content', 'mediumblob').notNullable()
    table.primary(['build', 'app_id', 'dimension_key', 'day', 'block', 'bot'])
  })
}
