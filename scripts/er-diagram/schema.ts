// The schema as the migrations make it: each is run on a throw-away SQLite file, and what it added is read back.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Knex } from 'knex'
import { openDatabase } from '../../src/kernel/database/open.ts'

export interface Column {
  readonly name: string
  readonly type: string
  readonly nullable: boolean
  /** Part of the primary key, of a unique key, or of another index. */
  readonly key: 'PK' | 'UK' | 'IX' | undefined
}

export interface Table {
  readonly name: string
  readonly migration: string
  readonly columns: readonly Column[]
  readonly primaryKey: readonly string[]
}

export interface Migration {
  readonly name: string
  /** What its header says first. */
  readonly summary: string
  readonly tables: readonly Table[]
}

/** `child` holds the whole primary key of `parent`. The database enforces none of it: rows move by checkpoint, not by cascade. */
export interface Relation {
  readonly child: Table
  readonly parent: Table
}

const DIRECTORY = join(import.meta.dirname, '../../migrations')

export async function readSchema(): Promise<Migration[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'recount-er-'))
  const database = await openDatabase(`sqlite:${join(scratch, 'schema.db')}`)
  try {
    const known = new Set<string>()
    const migrations: Migration[] = []
    for (const file of readdirSync(DIRECTORY).filter((name) => name.endsWith('.ts')).sort()) {
      const path = join(DIRECTORY, file)
      const { up } = (await import(pathToFileURL(path).href)) as Knex.Migration
      await database.knex.transaction(async (trx) => {
        await up(trx)
      })
      const added = (await tableNames(database.knex)).filter((table) => !known.has(table))
      for (const table of added) known.add(table)
      const name = file.replace(/\.ts$/, '')
      const tables: Table[] = []
      for (const table of added) tables.push(await readTable(database.knex, table, name))
      migrations.push({ name, summary: summaryOf(readFileSync(path, 'utf8')), tables })
    }
    return await withFinalColumns(database.knex, migrations)
  } finally {
    await database.close()
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** All relations, without those that lead through a table whose own key already holds the parent's. */
export function relationsOf(migrations: readonly Migration[]): Relation[] {
  const tables = migrations.flatMap((migration) => migration.tables)
  const relations = tables.flatMap((child) => tables.filter((parent) => holdsKeyOf(child, parent)).map((parent) => ({ child, parent })))
  const follows = ({ child, parent }: Relation): boolean =>
    relations.some(({ child: from, parent: between }) => {
      if (from !== child || between === parent || between.primaryKey.length <= parent.primaryKey.length) return false
      return parent.primaryKey.every((column) => between.primaryKey.includes(column)) && holdsKeyOf(between, parent)
    })
  return relations.filter((relation) => !follows(relation))
}

function holdsKeyOf(child: Table, parent: Table): boolean {
  // A key longer than one's own names something that is below one, not above.
  if (child === parent || parent.primaryKey.length === 0 || parent.primaryKey.length > child.primaryKey.length) return false
  const names = child.columns.map(({ name }) => name)
  if (!parent.primaryKey.every((column) => names.includes(column))) return false
  const builds = [child, parent].filter(({ columns }) => columns[0]?.name === 'build').length
  if (builds === 1) return false
  // Numbers of builds belong to a projection each, so they mean the same only within one.
  if (builds === 2 && familyOf(child) !== familyOf(parent)) return false
  return child.primaryKey.join() !== parent.primaryKey.join()
}

function familyOf(table: Table): string {
  return table.name.split('_').slice(0, 2).join('_').replace(/s$/, '')
}

async function tableNames(knex: Knex): Promise<string[]> {
  const rows = await knex<{ name: string; type: string }>('sqlite_master').where({ type: 'table' }).orderBy('rootpage').select('name')
  return rows.map(({ name }) => name).filter((name) => !name.startsWith('sqlite_'))
}

async function readTable(knex: Knex, name: string, migration: string): Promise<Table> {
  const info = await pragma<{ name: string; type: string; notnull: number; pk: number }>(knex, `table_info(\`${name}\`)`)
  const indexes = await pragma<{ name: string; unique: number; origin: string }>(knex, `index_list(\`${name}\`)`)
  const unique = new Set<string>()
  const indexed = new Set<string>()
  for (const index of indexes.filter(({ origin }) => origin !== 'pk')) {
    const columns = await pragma<{ name: string }>(knex, `index_info(\`${index.name}\`)`)
    for (const column of columns) (index.unique === 1 ? unique : indexed).add(column.name)
  }
  const keyOf = (column: { name: string; pk: number }): Column['key'] =>
    column.pk > 0 ? 'PK' : unique.has(column.name) ? 'UK' : indexed.has(column.name) ? 'IX' : undefined
  return {
    name,
    migration,
    columns: info.map((it) => ({ name: it.name, type: it.type.toLowerCase(), nullable: it.notnull === 0 && it.pk === 0, key: keyOf(it) })),
    primaryKey: info.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk).map((it) => it.name),
  }
}

/** A later migration may widen an earlier one's table, or drop it. */
async function withFinalColumns(knex: Knex, migrations: readonly Migration[]): Promise<Migration[]> {
  const kept = new Set(await tableNames(knex))
  const final: Migration[] = []
  for (const migration of migrations) {
    const tables: Table[] = []
    for (const { name } of migration.tables.filter((table) => kept.has(table.name))) tables.push(await readTable(knex, name, migration.name))
    if (tables.length > 0) final.push({ ...migration, tables })
  }
  return final
}

async function pragma<Row>(knex: Knex, statement: string): Promise<Row[]> {
  return (await knex.raw(`PRAGMA ${statement}`)) as Row[]
}

function summaryOf(source: string): string {
  const header = /^((?:\/\/.*\n)+)/.exec(source)?.[1] ?? ''
  const text = header.replaceAll(/^\/\/ ?/gm, '').replaceAll('\n', ' ').trim()
  return (/^.*?[.:](?=\s|$)/.exec(text)?.[0] ?? text).replace(/[.:]$/, '')
}
