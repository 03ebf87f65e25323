// The read model of people: organisations, who belongs to them, who is invited and who may see which app besides. No token
// of an invitation and no hash of one is here.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('organisations', (table) => {
    table.integer('build').notNullable()
    table.specificType('organisation_id', 'binary(16)').notNullable()
    table.string('name', 128).notNullable()
    // JSON.
    table.text('allowed_domains').notNullable()
    table.bigInteger('created_at').notNullable()
    table.bigInteger('updated_at').notNullable()
    table.primary(['build', 'organisation_id'])
  })
  await knex.schema.createTable('accounts', (table) => {
    table.integer('build').notNullable()
    table.specificType('account_id', 'binary(16)').notNullable()
    table.string('email', 254)
    table.string('name', 128)
    table.bigInteger('created_at').notNullable()
    table.bigInteger('last_signed_in_at')
    table.primary(['build', 'account_id'])
  })
  await members(knex)
  await apps(knex)
}

async function members(knex: Knex): Promise<void> {
  await knex.schema.createTable('members', (table) => {
    table.integer('build').notNullable()
    table.specificType('organisation_id', 'binary(16)').notNullable()
    table.specificType('account_id', 'binary(16)').notNullable()
    table.string('role', 16).notNullable()
    table.bigInteger('joined_at').notNullable()
    table.primary(['build', 'organisation_id', 'account_id'])
  })
  await knex.schema.createTable('invitations', (table) => {
    table.integer('build').notNullable()
    table.specificType('organisation_id', 'binary(16)').notNullable()
    table.specificType('invitation_id', 'binary(16)').notNullable()
    table.string('role', 16).notNullable()
    // JSON: the grants that come with it.
    table.text('apps').notNullable()
    table.string('email', 254)
    table.specificType('invited_by', 'binary(16)')
    table.bigInteger('created_at').notNullable()
    table.bigInteger('expires_at').notNullable()
    // Whether an open one has expired is a matter of when one asks.
    table.string('state', 16).notNullable()
    table.bigInteger('ended_at')
    table.specificType('accepted_by', 'binary(16)')
    table.primary(['build', 'organisation_id', 'invitation_id'])
  })
}

async function apps(knex: Knex): Promise<void> {
  await knex.schema.createTable('app_grants', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.specificType('account_id', 'binary(16)').notNullable()
    table.string('role', 16).notNullable()
    table.bigInteger('granted_at').notNullable()
    table.primary(['build', 'app_id', 'account_id'])
    table.index(['build', 'account_id'], 'app_grants_account')
  })
  // Whose each app is: with a member go the grants on the organisation's apps.
  await knex.schema.createTable('organisation_apps', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.specificType('organisation_id', 'binary(16)').notNullable()
    table.primary(['build', 'app_id'])
  })
}
