// Processes that stand still and come back as if nothing had happened: their jobs, leases and transactions have gone to others
// meanwhile. Or they are cut off in the middle of a transaction and go on against a server that has given them up.
import { eventually } from '../../support/eventually.ts'
import { startProcess } from '../../support/processes.ts'
import { type Fault, POINTS, type Point, type World, type WorldProcess } from '../support/fault.ts'
import type { PointReached } from '../support/points.ts'
import { between, INNODB_LOOK_MS, lasting, withSession } from '../storeFaults/harm.ts'
import { IN_MID_REQUEST, POINT_MS, roleOf } from './killed.ts'

/** In which the server ends a silent session (LIMITS.sessionTimeoutSeconds), and another takes over a unit or a job. */
const GIVEN_UP_MS = 90_000

const AT_ANY_MOMENT = (['api', 'append', 'project'] as const).map(
  (role): Fault => ({
    name: `SIGSTOP of a process (${role}) for 1 to 12 s`,
    hits: 'process',
    async inject(world) {
      const victim = world.random.pick(world.processes(role))
      const [beforeMs, forMs] = [between(world.random, 0, 500), between(world.random, 1_000, 12_000)]
      await lasting(beforeMs)
      await victim.freeze()
      await lasting(forMs)
      victim.thaw()
    },
  }),
)

const AT_POINTS = POINTS.filter((point) => point !== IN_MID_REQUEST).map(
  (point): Fault => ({
    name: `frozen at "${point}" and thawed`,
    hits: 'process',
    async inject(world) {
      const forMs = between(world.random, 200, 12_000)
      const { victim } = await frozenAt(world, point)
      await lasting(forMs)
      victim.thaw()
    },
  }),
)

/** Open transactions, by where they stand. */
const IN_TRANSACTION = ['append: after BEGIN', 'append: between INSERT and COMMIT', 'project: between read model and checkpoint', 'project: before COMMIT'] as const

const GIVEN_UP = IN_TRANSACTION.map(
  (point): Fault => ({
    name: `frozen at "${point}" until the server has ended the transaction`,
    hits: 'process',
    async inject(world) {
      const { victim, session } = await frozenAt(world, point)
      await released(world, session!).finally(() => victim.thaw())
    },
  }),
)

const CUT_OFF = IN_TRANSACTION.map(
  (point): Fault => ({
    name: `cut off from MariaDB at "${point}" until the server has ended the transaction`,
    hits: 'process',
    async inject(world) {
      const { victim, session } = await frozenAt(world, point)
      const cable = victim.cables.mariadb
      try {
        await cable.freeze()
        victim.thaw()
        await released(world, session!)
      } finally {
        await cable.mend()
      }
    },
  }),
)

const cutOffBriefly: Fault = {
  name: 'cut off from MariaDB between INSERT and COMMIT for less than the server takes to notice',
  hits: 'process',
  async inject(world) {
    const forMs = between(world.random, 100, 4_000)
    const { victim } = await frozenAt(world, 'append: between INSERT and COMMIT')
    const cable = victim.cables.mariadb
    try {
      await cable.freeze()
      victim.thaw()
      await lasting(forMs)
    } finally {
      await cable.mend()
    }
  },
}

const TAKEN_OVER = (['project: before COMMIT', 'project: after COMMIT'] as const).map(
  (point): Fault => ({
    name: `a third projector takes over from one frozen at "${point}", then all go on`,
    hits: 'process',
    alone: true,
    async inject(world) {
      const { victim, fold } = await frozenAt(world, point)
      const { projection, build, partition } = fold!
      const before = await ownerOf(world, projection, build, partition)
      const third = await startProcess('project', { ...world.env, DATABASE_URL: world.databaseUrl, REDIS_URL: world.redisUrl })
      try {
        await eventually(async () => (await ownerOf(world, projection, build, partition)) !== before, { timeoutMs: GIVEN_UP_MS, everyMs: 100 })
        victim.thaw()
        await lasting(between(world.random, 500, 3_000))
      } finally {
        if (victim.running) victim.thaw()
        const code = await third.stop()
        if (code !== 0) throw new Error(`the third projector ended with ${code ?? 'a signal'}:\n${third.log().slice(-2_000)}`)
      }
    },
  }),
)

interface Frozen extends PointReached {
  readonly victim: WorldProcess
}

async function frozenAt(world: World, point: Point): Promise<Frozen> {
  const victim = world.random.pick(world.processes(roleOf(point)))
  await world.arm(victim.name, point, { action: 'freeze', timeoutMs: POINT_MS })
  return { ...(await eventually(() => lastReached(victim, point))), victim }
}

/** What it said last when it came to a point; undefined when that was another one. */
export function lastReached(process: WorldProcess, point: Point): PointReached | undefined {
  const line = process.log().split('\n').findLast((text) => text.startsWith('{"message":"reached"'))
  const said = line === undefined ? undefined : (JSON.parse(line) as PointReached)
  return said?.point === point ? said : undefined
}

/** Rejects when the server lets a silent session keep its locks. */
async function released({ databaseUrl }: World, session: number): Promise<void> {
  const sql = 'SELECT 1 FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = ?'
  const gone = (): Promise<boolean> =>
    withSession(databaseUrl, async (rival) => {
      const [rows] = await rival.query(sql, [session])
      return (rows as unknown[]).length === 0
    })
  await eventually(gone, { timeoutMs: GIVEN_UP_MS, everyMs: INNODB_LOOK_MS })
}

function ownerOf({ databaseUrl }: World, ...unit: readonly [projection: string, build: number, partition: number]): Promise<string | undefined> {
  const sql = 'SELECT HEX(owner) AS owner FROM projection_checkpoints WHERE projection = ? AND build = ? AND `partition` = ?'
  return withSession(databaseUrl, async (rival) => {
    const [rows] = await rival.query(sql, [...unit])
    return (rows as { owner: string }[])[0]?.owner
  })
}

export const FROZEN: readonly Fault[] = [...AT_ANY_MOMENT, ...AT_POINTS, ...GIVEN_UP, ...CUT_OFF, cutOffBriefly, ...TAKEN_OVER]
