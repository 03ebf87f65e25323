// A world of one process of all roles, for tests of what is answered during one fault: it starts in a fraction of the time of
// the whole one, and nobody else is there who could mend what it must mend itself.
import { once } from 'node:events'
import { startProcess } from '../../support/processes.ts'
import { asPlainUser, freshDatabase, startMariadb, startRedis } from '../../support/servers.ts'
import { startTcpProxy, type TcpProxy } from '../../support/tcpProxy.ts'
import type { Cable, World, WorldProcess } from './fault.ts'
import { randomOf } from './random.ts'

export interface SmallWorld extends World {
  /** Everything comes through again. */
  mend(): Promise<void>
  stop(): Promise<void>
}

const OWNER_CODE = 'fault-suite-owner-code'

export async function startSmallWorld(seed: number): Promise<SmallWorld> {
  const [mariadb, redis] = await Promise.all([startMariadb(), startRedis()])
  const databaseUrl = await freshDatabase(mariadb)
  const [toMariadb, toRedis] = await Promise.all([startTcpProxy(await asPlainUser(databaseUrl)), startTcpProxy(redis.url)])
  const env = { JWT_SECRET: 'fault-suite-secret-of-more-than-32-characters', OWNER_CODE }
  const running = await startProcess('all', { ...env, DATABASE_URL: toMariadb.url, REDIS_URL: toRedis.url })
  const cables = { mariadb: cableOf(toMariadb), redis: cableOf(toRedis) }
  const process: WorldProcess = {
    ...{ name: 'api-1', role: 'api', url: running.url, pid: running.pid, cables, log: () => running.log() },
    get running() {
      return running.child.exitCode === null && running.child.signalCode === null
    },
    ...{ kill9: notHere, terminate: notHere, freeze: notHere, thaw: notHere, restart: notHere, tell: notHere },
  }
  return {
    ...{ seed, random: randomOf(seed, 'world'), mariadb, redis, databaseUrl, redisUrl: redis.url, env, ownerCode: OWNER_CODE },
    process: () => process,
    processes: () => [process],
    arm: notHere,
    say: () => undefined,
    mend: async () => {
      await Promise.all([cables.mariadb.mend(), cables.redis.mend()])
    },
    async stop() {
      running.child.kill('SIGKILL')
      if (process.running) await once(running.child, 'exit')
      await Promise.all([toMariadb.close(), toRedis.close(), mariadb.kill9(), redis.kill9()])
    },
  }
}

function cableOf(proxy: TcpProxy): Cable {
  const acting =
    <T extends readonly unknown[]>(act: (...values: T) => void) =>
    (...values: T): Promise<void> => {
      act(...values)
      return Promise.resolve()
    }
  return { cut: acting(() => proxy.cut()), freeze: acting(() => proxy.freeze()), slow: acting((delayMs: number) => proxy.slow(delayMs)), mend: acting(() => proxy.mend()) }
}

function notHere(): never {
  throw new Error('the process of a small world is left alone')
}
