// An API process that is several (WEB_CONCURRENCY): a child that dies is started again, and children whose parent dies end
// what they are at and leave.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { eventually } from '../../support/eventually.ts'
import type { Fault, World, WorldProcess } from '../support/fault.ts'
import { between, lasting } from '../storeFaults/harm.ts'

const CHILDREN = 2
const PATIENCE_MS = 120_000

const child: Fault = {
  name: 'kill -9 of an API child under WEB_CONCURRENCY',
  hits: 'process',
  alone: true,
  inject: (world) =>
    several(world, async (parent) => {
      const victim = world.random.pick(childrenOf(parent.pid))
      process.kill(victim, 'SIGKILL')
      await eventually(() => !existsSync(`/proc/${victim}`) && childrenOf(parent.pid).length === CHILDREN, { timeoutMs: PATIENCE_MS })
      await lasting(between(world.random, 500, 2_000))
      const code = await parent.terminate()
      if (code !== 0) throw new Error(`${parent.name} ended with ${code ?? 'a signal'} after SIGTERM:\n${parent.log().slice(-2_000)}`)
    }),
}

const parent: Fault = {
  name: 'kill -9 of the API parent under WEB_CONCURRENCY',
  hits: 'process',
  alone: true,
  inject: (world) => several(world, (parent) => parent.kill9()),
}

/** `harm` is done to several processes in the place of one, which is there again afterwards. */
async function several(world: World, harm: (parent: WorldProcess) => Promise<void>): Promise<void> {
  const victim = world.random.pick(world.processes('api'))
  const forMs = between(world.random, 500, 3_000)
  await victim.restart({ WEB_CONCURRENCY: String(CHILDREN) })
  let children = childrenOf(victim.pid)
  try {
    await lasting(forMs)
    await harm(victim)
    // Nobody is left behind who would still answer, or hold connections that others need.
    await eventually(() => children.every((pid) => !existsSync(`/proc/${pid}`)), { timeoutMs: PATIENCE_MS })
    children = []
  } finally {
    for (const pid of children) if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGKILL')
    await victim.restart()
  }
}

function childrenOf(pid: number): number[] {
  // A process may have gone between the listing and the reading.
  const parentOf = (entry: string): number => {
    try {
      return Number(/^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${entry}/status`, 'utf8'))?.[1])
    } catch {
      return 0
    }
  }
  return readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && parentOf(entry) === pid).map(Number)
}

export const CLUSTERED: readonly Fault[] = [child, parent]
