// Brings a database to the schema of this program: migrations/NNNN_name, in order, once each, whichever of several processes
// starts first. Registered without their extension, so that .ts under tsx and .js in dist/ are the same migration.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Knex } from 'knex'
import type { Database } from './database.ts'
import { isSqliteBusy } from './database/faults.ts'
import { type MysqlDatabase, openMysqlForMigrations } from './database/mysql.ts'
import { retry } from './retry.ts'

const DIRECTORY = join(import.meta.dirname, '../../migrations')
const LOCK_TABLE = 'migration_turns'

interface Migration {
  readonly name: string
  readonly path: string
}

const source: Knex.MigrationSource<Migration> = {
  getMigrations: async () => {
    const files = (await readdir(DIRECTORY)).filter((file) => /^\d{4}_\w+\.(?:ts|js)$/.test(file) && !file.endsWith('.d.ts'))
    return files.sort().map((file) => ({ name: file.replace(/\.(?:ts|js)$/, ''), path: join(DIRECTORY, file) }))
  },
  getMigrationName: ({ name }) => name,
  getMigration: async ({ path }) => {
    const { up } = (await import(pathToFileURL(path).href)) as Knex.Migration
    return { up, down: () => Promise.reject(new Error('migrations go forward only')) }
  },
}

const config: Knex.MigratorConfig = { migrationSource: source, tableName: 'migrations' }

/** Names of the migrations that were applied now. */
export async function migrate(database: Database): Promise<string[]> {
  if (database.engine === 'sqlite') {
    // DDL is transactional here, and the transaction is the turn: all of it happens, once, or nothing.
    return retry(() => database.knex.transaction((trx) => latest(trx)), { retryable: isSqliteBusy, maxTries: 60 })
  }
  const knex = openMysqlForMigrations((database as MysqlDatabase).url)
  try {
    await knex.raw(`create table if not exists ${LOCK_TABLE} (id int primary key)`)
    await knex.raw(`insert ignore into ${LOCK_TABLE} values (1)`)
    return await knex.transaction(async (turn) => {
      // A row lock, which a killed process gives back; knex' own lock is a row that it would leave behind.
      await turn.raw(`select id from ${LOCK_TABLE} where id = 1 for update`)
      await knex.migrate.forceFreeMigrationsLock(config)
      return latest(knex)
    })
  } finally {
    await knex.destroy()
  }
}

/** Names of the migrations that migrate() would apply. */
export async function pendingMigrations(database: Database): Promise<string[]> {
  const names = (await source.getMigrations([])).map((migration) => source.getMigrationName(migration))
  if (!(await database.knex.schema.hasTable('migrations'))) return names
  const rows = await database.knex<{ name: string }>('migrations').select('name')
  const applied = new Set(rows.map(({ name }) => name))
  return names.filter((name) => !applied.has(name))
}

async function latest(knex: Knex): Promise<string[]> {
  const [, applied] = (await knex.migrate.latest(config)) as [number, string[]]
  return applied
}
