// The read model of the audit log: an entry per organisation and control event, and the present state of whatever can change,
// from which the next change is told. No secret and no hash of one is here.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('audit_entries', (table) => {
    table.integer('build').notNullable()
    table.specificType('organisation_id', 'binary(16)').notNullable()
    // In the control partition.
    table.bigInteger('position').notNullable()
    table.bigInteger('recorded_at').notNullable()
    table.bigInteger('occurred_at').notNullable()
    table.specificType('actor_id', 'binary(16)')
    // The type of the event.
    table.string('action', 64).notNullable()
    table.string('subject_kind', 16).notNullable()
    // A UUID, or the name of a projection.
    table.string('subject_id', 64).notNullable()
    // What it was called then.
    table.string('subject_name', 256)
    table.specificType('app_id', 'binary(16)')
    // JSON of what changed.
    table.text('before_json', 'mediumtext')
    table.text('after_json', 'mediumtext')
    table.integer('erased').notNullable()
    table.primary(['build', 'organisation_id', 'position'])
    table.index(['build', 'organisation_id', 'action', 'position'], 'audit_entries_action')
    table.index(['build', 'organisation_id', 'actor_id', 'position'], 'audit_entries_actor')
    table.index(['build', 'organisation_id', 'subject_id', 'position'], 'audit_entries_subject')
    table.index(['build', 'organisation_id', 'app_id', 'position'], 'audit_entries_app')
  })
  await knex.schema.createTable('audit_subjects', (table) => {
    table.integer('build').notNullable()
    table.string('kind', 16).notNullable()
    // What it belongs to (a key to its app, a member to the organisation), or itself with a second id of zeros.
    table.specificType('first_id', 'binary(16)').notNullable()
    table.specificType('second_id', 'binary(16)').notNullable()
    // JSON.
    table.text('state', 'mediumtext').notNullable()
    table.primary(['build', 'kind', 'first_id', 'second_id'])
    table.index(['build', 'kind', 'second_id'], 'audit_subjects_second')
  })
}
