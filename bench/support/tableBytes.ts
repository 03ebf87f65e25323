// What each table takes on disk, as the engine itself counts it.

export interface TableBytes {
  readonly table: string
  /** The rows, with the key they are ordered by. */
  readonly data: number
  readonly indexes: number
}

type Ask = (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>

/** Of the connection's database; pages that a table has but does not use count as its own. */
export async function bytesByTable(ask: Ask, engine: 'mysql' | 'sqlite' = 'mysql'): Promise<TableBytes[]> {
  return engine === 'mysql' ? ofMysql(ask) : ofSqlite(ask)
}

async function ofMysql(ask: Ask): Promise<TableBytes[]> {
  const names = (await ask("SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'")).map(({ name }) => String(name))
  // Without this the sizes may be those of a while ago.
  await ask(`ANALYZE TABLE ${names.map((name) => `\`${name}\``).join(', ')}`)
  const rows = await ask('SELECT table_name AS name, data_length AS data, index_length AS indexes FROM information_schema.tables WHERE table_schema = DATABASE()')
  return rows.map(({ name, data, indexes }) => ({ table: String(name), data: Number(data), indexes: Number(indexes) }))
}

async function ofSqlite(ask: Ask): Promise<TableBytes[]> {
  const rows = await ask('SELECT m.tbl_name AS name, m.type AS type, SUM(s.pgsize) AS bytes FROM dbstat s JOIN sqlite_master m ON m.name = s.name GROUP BY m.tbl_name, m.type')
  const tables = new Map<string, { table: string; data: number; indexes: number }>()
  for (const { name, type, bytes } of rows) {
    const table = tables.get(String(name)) ?? { table: String(name), data: 0, indexes: 0 }
    table[type === 'table' ? 'data' : 'indexes'] += Number(bytes)
    tables.set(table.table, table)
  }
  return [...tables.values()]
}
