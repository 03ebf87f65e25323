// Whether both stores keep what they acknowledged when the power fails: asked at start, because a Redis or MySQL with
// fast defaults works perfectly until the day it loses events.
import type { Redis } from 'ioredis'
import type { Database } from '../kernel/database.ts'

const REDIS_SETTINGS = { appendonly: 'yes', appendfsync: 'always', 'maxmemory-policy': 'noeviction' } as const

/** Faults in words, each naming the setting and what it must be; empty when Redis is safe. Throws when it is away. */
export async function redisFaults(redis: Pick<Redis, 'config'>): Promise<string[]> {
  const faults: string[] = []
  for (const [name, wanted] of Object.entries(REDIS_SETTINGS)) {
    const value = await redisSetting(redis, name)
    if (value !== wanted) faults.push(`Redis: ${name} is ${value} and must be ${wanted}, or acknowledged events can be lost`)
  }
  return faults
}

/** Managed services forbid CONFIG: then nobody knows, which is no reason to believe. */
async function redisSetting(redis: Pick<Redis, 'config'>, name: string): Promise<string> {
  try {
    return ((await redis.config('GET', name)) as readonly string[])[1] ?? 'unknown'
  } catch (error) {
    if (error instanceof Error && /^(?:NOPERM|ERR unknown command)/.test(error.message)) return 'unknown (CONFIG is refused)'
    throw error
  }
}

/** As redisFaults(), of the database. */
export async function databaseFaults(database: Database): Promise<string[]> {
  return database.engine === 'mysql' ? mysqlFaults(database) : []
}

async function mysqlFaults({ knex }: Database): Promise<string[]> {
  const [rows] = (await knex.raw(
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('innodb_flush_log_at_trx_commit', 'log_bin', 'sync_binlog')",
  )) as [{ Variable_name: string; Value: string }[]]
  const value = new Map(rows.map((row) => [row.Variable_name.toLowerCase(), row.Value]))
  const faults: string[] = []
  const demand = (name: string, wanted: string): void => {
    const found = value.get(name) ?? 'unknown'
    if (found !== wanted) faults.push(`MySQL: ${name} is ${found} and must be ${wanted}, or committed events can be lost`)
  }
  demand('innodb_flush_log_at_trx_commit', '1')
  if (value.get('log_bin') === 'ON') demand('sync_binlog', '1')
  return faults
}
