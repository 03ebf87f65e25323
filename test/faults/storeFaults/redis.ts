// Faults of the queue's Redis: gone, come back on its data or on its append-only file alone, slow, frozen and full.
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Redis } from 'ioredis'
import type { Fault, World } from '../support/fault.ts'
import { between, lasting, withRedis } from './harm.ts'

export const MEGABYTE = 1_000_000

const killed: Fault = {
  name: 'Redis: kill -9, and again on its data',
  hits: 'redis',
  async inject({ redis, random }) {
    const awayMs = between(random, 100, 5_000)
    await redis.kill9()
    await lasting(awayMs)
    await redis.restart()
  },
}

const stopped: Fault = {
  name: 'Redis: stopped, and started again',
  hits: 'redis',
  async inject({ redis, random }) {
    const awayMs = between(random, 100, 5_000)
    await redis.stop()
    await lasting(awayMs)
    await redis.restart()
  },
}

const fileOnly: Fault = {
  name: 'Redis: kill -9, emptied of everything but its append-only file',
  hits: 'redis',
  async inject({ redis, redisUrl, random }) {
    const [rewrite, awayMs] = [random.int(2) === 1, between(random, 100, 2_000)]
    const directory = await withRedis(redisUrl, async (client) => {
      // A file that is being rewritten at that moment is the harder case.
      if (rewrite) await client.bgrewriteaof()
      return ((await client.config('GET', 'dir')) as [string, string])[1]
    })
    await redis.kill9()
    for (const name of readdirSync(directory)) if (/\.(?:rdb|rewrite|tmp)$|^temp-/.test(name)) rmSync(join(directory, name))
    await lasting(awayMs)
    await redis.restart()
  },
}

const frozen: Fault = {
  name: 'Redis: frozen and thawed',
  hits: 'redis',
  async inject({ redis, random }) {
    const frozenMs = between(random, 500, 8_000)
    await redis.freeze()
    await lasting(frozenMs)
    redis.thaw()
  },
}

const asleep: Fault = {
  name: 'Redis: asleep in one command (DEBUG SLEEP)',
  hits: 'redis',
  async inject({ redisUrl, random }) {
    const seconds = between(random, 500, 6_000) / 1_000
    await withRedis(redisUrl, (client) => client.call('DEBUG', 'SLEEP', String(seconds)))
  },
}

const slow: Fault = {
  name: 'Redis: slow for every process',
  hits: 'network',
  async inject(world) {
    const [delayMs, lastsMs] = [between(world.random, 20, 400), between(world.random, 1_000, 5_000)]
    const cables = world.processes().map((process) => process.cables.redis)
    try {
      await Promise.all(cables.map((cable) => cable.slow(delayMs)))
      await lasting(lastsMs)
    } finally {
      await Promise.all(cables.map((cable) => cable.mend()))
    }
  },
}

const outOfMemory: Fault = {
  name: 'Redis: out of memory (maxmemory lowered, and restored)',
  hits: 'redis',
  async inject({ redisUrl, random }) {
    const lastsMs = between(random, 1_000, 6_000)
    await withRedis(redisUrl, (client) =>
      withMaxmemory(client, MEGABYTE, async () => {
        await refusesWrites(client)
        await lasting(lastsMs)
      }),
    )
  },
}

const filled: Fault = {
  name: 'Redis: filled by somebody else to its last byte, and emptied again',
  hits: 'redis',
  async inject({ redisUrl, random }) {
    const lastsMs = between(random, 1_000, 5_000)
    await withRedis(redisUrl, async (client) => {
      const used = Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))![1])
      await withMaxmemory(client, used + 20 * MEGABYTE, async () => {
        const keys: string[] = []
        try {
          const value = 'x'.repeat(MEGABYTE / 10)
          for (let refused = false; !refused; ) {
            keys.push(`rival:${keys.length}`)
            refused = await client.set(keys.at(-1)!, value).then(() => false, isRefusal)
          }
          await lasting(lastsMs)
        } finally {
          await client.del(...keys)
        }
      })
    })
  },
}

/** Restored as it was, whatever comes of the work. */
export async function withMaxmemory<T>(client: Redis, bytes: number, work: () => Promise<T>): Promise<T> {
  const [, before] = (await client.config('GET', 'maxmemory')) as [string, string]
  await client.config('SET', 'maxmemory', String(bytes))
  try {
    return await work()
  } finally {
    await client.config('SET', 'maxmemory', before)
  }
}

async function refusesWrites(client: Redis): Promise<void> {
  const refused = await client.set('rival', 'x').then(() => false, isRefusal)
  if (!refused) throw new Error('Redis took a write above its maxmemory')
}

function isRefusal(error: unknown): true {
  if (error instanceof Error && error.message.startsWith('OOM')) return true
  throw error
}

/** With every store away from everybody, nothing can be promised. */
const bothGone: Fault = {
  name: 'Redis and MariaDB: both killed, and again on their data',
  hits: 'redis',
  alone: true,
  async inject({ redis, mariadb, random }: World) {
    const [awayMs, databaseFirst] = [between(random, 1_000, 5_000), random.int(2) === 1]
    await Promise.all([redis.kill9(), mariadb.kill9()])
    await lasting(awayMs)
    const [first, second] = databaseFirst ? [mariadb, redis] : [redis, mariadb]
    await first.restart()
    await second.restart()
  },
}

export const REDIS_FAULTS: readonly Fault[] = [killed, stopped, fileOnly, frozen, asleep, slow, outOfMemory, filled, bothGone]
