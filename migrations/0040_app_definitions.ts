// By which definitions each app's rows are folded: beside the zone, for every build of a projection that depends on them.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('projection_apps', (table) => {
    // JSON of what the projection picks; null where that is nothing.
    table.text('definitions', 'mediumtext')
    table.bigInteger('definitions_position').notNullable().defaultTo(0)
    // What a rebuild of the app is to apply, and from which event on it is wanted; both null when the rows have it all.
    table.text('wanted_definitions', 'mediumtext')
    table.bigInteger('wanted_position')
    table.index(['projection', 'build', 'wanted_position'], 'projection_apps_wanted_definitions')
  })
  await knex.schema.alterTable('projection_builds', (table) => {
    table.text('definitions', 'mediumtext')
  })
}
