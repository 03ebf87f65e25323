// Recount as it runs in production, for a fault to happen to: two API processes, two append workers and two projectors, each
// behind cables of its own to a MariaDB and a Redis that are nobody else's.
import { randomBytes } from 'node:crypto'
import { asPlainUser, freshDatabase, type MariadbServer, startMariadb, startRedis, type TestServer } from '../../support/servers.ts'
import { startCables } from './cables.ts'
import { PROCESS_NAMES, type ProcessName, type World, type WorldProcess } from './fault.ts'
import { type Random, randomOf } from './random.ts'
import { createMember, type Member } from './worldProcess.ts'

export interface RunningWorld extends World {
  /** The same world with chance of its own, so that what one fault draws does not move what another does. */
  drawing(random: Random): World
  /** What each process wrote that ended although nobody ended it. */
  crashes(): readonly string[]
  /** Of each process whether it runs, and the end of what it wrote. */
  state(): string
  stop(): Promise<void>
}

export interface WorldOptions {
  readonly seed: number
  /** Of every process, cables aside. */
  readonly env?: Readonly<Record<string, string>>
  /** Other stores than usual. */
  readonly mariadb?: () => Promise<MariadbServer>
  readonly redis?: () => Promise<TestServer>
  readonly say?: (text: string) => void
  /** Those that run from the beginning, the first of which migrates; all unless given. */
  readonly running?: readonly ProcessName[]
}

/** Large enough for half a million events and their read models, and filled in a second. */
const DISK_BYTES = 1_500_000_000

const smallMariadb = (): Promise<MariadbServer> => startMariadb([], { diskBytes: DISK_BYTES })

/** Starts stores and processes; resolves when all are ready. */
export async function startWorld(options: WorldOptions): Promise<RunningWorld> {
  const [mariadb, redis] = await Promise.all([(options.mariadb ?? smallMariadb)(), (options.redis ?? startRedis)()])
  const databaseUrl = await freshDatabase(mariadb)
  const plainUrl = await asPlainUser(databaseUrl)
  const ownerCode = randomBytes(12).toString('hex')
  const env = { JWT_SECRET: randomBytes(32).toString('hex'), OWNER_CODE: ownerCode, ...options.env }
  const cables = startCables()
  const members = new Map<string, Member>()
  for (const name of PROCESS_NAMES) {
    const own = { mariadb: await cables.open(plainUrl), redis: await cables.open(redis.url) }
    members.set(name, await createMember({ name, cables: own, env }))
  }
  // The first migrates; the others find it done.
  const [first, ...others] = (options.running ?? PROCESS_NAMES).map((name) => members.get(name))
  await first!.restart()
  await Promise.all(others.map((member) => member!.restart()))
  const startedAt = Date.now()
  const tell = options.say ?? ((text) => void process.stderr.write(`${text}\n`))
  const world: RunningWorld = {
    ...{ seed: options.seed, random: randomOf(options.seed, 'world'), mariadb, redis, databaseUrl, redisUrl: redis.url, env, ownerCode },
    process: (name: ProcessName): WorldProcess => members.get(name)!,
    processes: (role) => [...members.values()].filter((member) => role === undefined || member.role === role),
    arm: (name, point, how) => members.get(name)!.arm(point, how),
    say: (text) => tell(`${((Date.now() - startedAt) / 1_000).toFixed(1).padStart(7)} s  ${text}`),
    drawing: (random) => ({ ...world, random }),
    crashes: () => [...members.values()].flatMap(({ crash }) => crash ?? []),
    state: () => [...members.values()].map((member) => `${member.name} ${member.running ? 'runs' : 'DOES NOT RUN'}\n${member.log().slice(-1_500)}`).join('\n'),
    async stop() {
      await Promise.all([...members.values()].map((member) => member.kill9()))
      cables.close()
      await Promise.all([mariadb.kill9(), redis.kill9()])
    },
  }
  return world
}
