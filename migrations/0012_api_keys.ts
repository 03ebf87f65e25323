// The read model of keys: what GET /auth/api-key answers from. No secret and no hash of one is here.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('api_keys', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.specificType('key_id', 'binary(16)').notNullable()
    table.specificType('issued_by', 'binary(16)').notNullable()
    table.string('name', 128).notNullable()
    table.string('scopes', 64).notNullable()
    table.string('write_key_hint', 16).notNullable()
    table.text('allowed_origins')
    table.bigInteger('created_at').notNullable()
    table.bigInteger('expires_at')
    table.bigInteger('revoked_at')
    table.specificType('replaces', 'binary(16)')
    table.specificType('replaced_by', 'binary(16)')
    table.primary(['build', 'app_id', 'key_id'])
  })
}
