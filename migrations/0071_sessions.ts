// Sessions that may still be refreshed, and one-time codes for command lines. Mutable and outside the log on purpose: which
// turn of its refresh token a session is at is nobody's history. That a session ended is in the log.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('sessions', (table) => {
    table.specificType('session_id', 'binary(16)').notNullable().primary()
    table.specificType('account_id', 'binary(16)').notNullable()
    table.integer('generation').notNullable()
    table.integer('rotation').notNullable()
    table.bigInteger('created_at').notNullable()
    table.bigInteger('rotated_at').notNullable()
    table.index(['account_id'], 'sessions_account')
    table.index(['rotated_at'], 'sessions_rotated_at')
  })
  await knex.schema.createTable('sign_in_codes', (table) => {
    table.specificType('code_hash', 'binary(32)').notNullable().primary()
    table.specificType('session_id', 'binary(16)').notNullable()
    table.specificType('account_id', 'binary(16)').notNullable()
    table.integer('generation').notNullable()
    // SHA-256 of what the command line keeps to itself.
    table.specificType('challenge', 'binary(32)').notNullable()
    table.bigInteger('expires_at').notNullable()
    table.index(['expires_at'], 'sign_in_codes_expires_at')
  })
}
