// Faults of the network between processes and stores: pulled, swallowing every packet, or slow, for one process or for all,
// and mended.
import type { Cable, Fault, StoreName, World, WorldProcess } from '../support/fault.ts'
import { between, lasting } from './harm.ts'

type Harm = (cable: Cable, world: World) => Promise<void>

const HARMS: readonly (readonly [string, Harm])[] = [
  ['cut', (cable) => cable.cut()],
  ['frozen', (cable) => cable.freeze()],
]
const STORES: readonly StoreName[] = ['mariadb', 'redis']
const NAMES: Readonly<Record<StoreName, string>> = { mariadb: 'MariaDB', redis: 'Redis' }

async function harm(world: World, cables: readonly Cable[], how: Harm): Promise<void> {
  const lastsMs = between(world.random, 500, 8_000)
  try {
    await Promise.all(cables.map((cable) => how(cable, world)))
    await lasting(lastsMs)
  } finally {
    await Promise.all(cables.map((cable) => cable.mend()))
  }
}

function cablesOf(processes: readonly WorldProcess[], stores: readonly StoreName[]): Cable[] {
  return processes.flatMap(({ cables }) => stores.map((store) => cables[store]))
}

function oneProcess(store: StoreName, [how, act]: (typeof HARMS)[number]): Fault {
  return {
    name: `network: one process and ${NAMES[store]}, ${how} and mended`,
    hits: 'network',
    async inject(world) {
      const process = world.random.pick(world.processes())
      world.say(`${process.name}'s cable to ${NAMES[store]}: ${how}`)
      await harm(world, cablesOf([process], [store]), act)
    },
  }
}

function everyProcess(store: StoreName, [how, act]: (typeof HARMS)[number]): Fault {
  return {
    name: `network: every process and ${NAMES[store]}, ${how} and mended`,
    hits: 'network',
    inject: (world) => harm(world, cablesOf(world.processes(), [store]), act),
  }
}

function bothStores([how, act]: (typeof HARMS)[number]): Fault {
  return {
    name: `network: every process and both stores, ${how} and mended`,
    hits: 'network',
    alone: true,
    inject: (world) => harm(world, cablesOf(world.processes(), STORES), act),
  }
}

function oneApi([how, act]: (typeof HARMS)[number]): Fault {
  return {
    name: `network: one API process and both stores, ${how} and mended`,
    hits: 'network',
    inject: (world) => harm(world, cablesOf([world.random.pick(world.processes('api'))], STORES), act),
  }
}

const flickering: Fault = {
  name: 'network: cables pulled and plugged in at random, again and again',
  hits: 'network',
  async inject(world) {
    const cables = cablesOf(world.processes(), STORES)
    const pulls = Array.from({ length: 12 }, () => ({ cable: world.random.pick(cables), lastsMs: between(world.random, 20, 600) }))
    for (const { cable, lastsMs } of pulls) {
      await cable.cut()
      await lasting(lastsMs)
      await cable.mend()
    }
  },
}

const slowDatabase: Fault = {
  name: 'MariaDB: slow for every process',
  hits: 'network',
  inject: (world) => {
    const delayMs = between(world.random, 20, 300)
    return harm(world, cablesOf(world.processes(), ['mariadb']), (cable) => cable.slow(delayMs))
  },
}

export const NETWORK_FAULTS: readonly Fault[] = [
  ...STORES.flatMap((store) => HARMS.flatMap((how) => [oneProcess(store, how), everyProcess(store, how)])),
  ...HARMS.flatMap((how) => [bothStores(how), oneApi(how)]),
  flickering,
  slowDatabase,
]
