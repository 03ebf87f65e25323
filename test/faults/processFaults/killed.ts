// Processes that end: by kill -9, at each named point and at any moment, one of them and many; and by SIGTERM, which they
// have to obey in good order, whatever is under way.
import { eventually } from '../../support/eventually.ts'
import { type Fault, POINTS, type Point, type ProcessRole, type World, type WorldProcess } from '../support/fault.ts'
import { between, lasting } from '../storeFaults/harm.ts'
import { appOfItsOwn, counts, type SlowRequest, slowRequest } from './slowRequest.ts'

/** Longer than a store is away that is hit at the same time: until then the point may not be reached. */
export const POINT_MS = 90_000
export const IN_MID_REQUEST: Point = 'api: in mid-request'
const SLOW_REQUESTS = 5
const SLOW_REQUEST_MS = 200

export function roleOf(point: Point): ProcessRole {
  return point.slice(0, point.indexOf(':')) as ProcessRole
}

const AT_POINTS = POINTS.filter((point) => point !== IN_MID_REQUEST).map(
  (point): Fault => ({
    name: `kill -9 at "${point}"`,
    hits: 'process',
    async inject(world) {
      const victim = world.random.pick(world.processes(roleOf(point)))
      const pauseMs = between(world.random, 0, 2_000)
      await world.arm(victim.name, point, { timeoutMs: POINT_MS })
      await lasting(pauseMs)
      await victim.restart()
    },
  }),
)

const inMidRequest: Fault = {
  name: `kill -9 at "${IN_MID_REQUEST}"`,
  hits: 'process',
  async inject(world) {
    const victim = world.random.pick(world.processes('api'))
    const app = await appOfItsOwn(world)
    const requests: Promise<SlowRequest | undefined>[] = []
    // Again and again, because one that came before the process was armed is not watched.
    const timer = setInterval(() => requests.push(slowRequest(victim, app).catch(() => undefined)), SLOW_REQUEST_MS)
    await world.arm(victim.name, IN_MID_REQUEST, { timeoutMs: POINT_MS }).finally(() => clearInterval(timer))
    for (const request of requests) (await request)?.end()
    await victim.restart()
    await counts(world, app, 0)
  },
}

const AT_ANY_MOMENT = (['api', 'append', 'project'] as const).map(
  (role): Fault => ({
    name: `kill -9 of a process (${role}) at any moment`,
    hits: 'process',
    async inject(world) {
      const victim = world.random.pick(world.processes(role))
      await killed(world, [victim])
    },
  }),
)

const ALL_OF_A_ROLE = (['api', 'append', 'project'] as const).map(
  (role): Fault => ({
    name: `kill -9 of all processes of a role (${role})`,
    hits: 'process',
    inject: (world) => killed(world, world.processes(role)),
  }),
)

const everything: Fault = {
  name: 'kill -9 of all processes',
  hits: 'process',
  alone: true,
  inject: (world) => killed(world, world.processes()),
}

async function killed({ random }: World, victims: readonly WorldProcess[]): Promise<void> {
  const [beforeMs, afterMs] = [between(random, 0, 1_000), between(random, 0, 3_000)]
  await lasting(beforeMs)
  await Promise.all(victims.map((victim) => victim.kill9()))
  await lasting(afterMs)
  await Promise.all(victims.map((victim) => victim.restart()))
}

const terminatedInMidRequest: Fault = {
  name: 'SIGTERM of an API process in mid-request',
  hits: 'process',
  alone: true,
  async inject(world) {
    const victim = world.random.pick(world.processes('api'))
    const app = await appOfItsOwn(world)
    const requests = await Promise.all(Array.from({ length: SLOW_REQUESTS }, (_, index) => slowRequest(victim, app, index % 2 === 0 ? '' : '?ack=stored')))
    const ended = victim.terminate()
    await eventually(() => victim.log().includes('"message":"draining"'))
    const statuses = await Promise.all(requests.map((request) => request.finish()))
    if (statuses.some((status) => status !== 202 && status !== 201)) throw new Error(`requests under way were answered ${statuses.join(', ')}`)
    await inGoodOrder(victim, await ended)
    await victim.restart()
    await counts(world, app, SLOW_REQUESTS)
  },
}

const TERMINATED = (['append', 'project'] as const).map(
  (role): Fault => ({
    name: `SIGTERM of a process (${role})`,
    hits: 'process',
    alone: true,
    async inject(world) {
      const victim = world.random.pick(world.processes(role))
      const pauseMs = between(world.random, 0, 1_000)
      await lasting(pauseMs)
      await inGoodOrder(victim, await victim.terminate())
      await victim.restart()
    },
  }),
)

/** Restarts it all the same, so that the run goes on to say what became of the events. */
async function inGoodOrder(victim: WorldProcess, code: number | null): Promise<void> {
  if (code === 0) return
  const log = victim.log().slice(-2_000)
  await victim.restart()
  throw new Error(`${victim.name} ended with ${code ?? 'a signal'} after SIGTERM:\n${log}`)
}

export const KILLED: readonly Fault[] = [...AT_POINTS, inMidRequest, ...AT_ANY_MOMENT, ...ALL_OF_A_ROLE, everything, terminatedInMidRequest, ...TERMINATED]
