// A switch to a new build and the way back, while MariaDB is killed in the middle of each: readers are served by one build or
// the other, and both say the same.
import { send } from '../../support/client.ts'
import { eventually } from '../../support/eventually.ts'
import type { Fault, World } from '../support/fault.ts'
import { between, lasting } from './harm.ts'

const PROJECTIONS = ['eventSummary', 'userStats', 'web'] as const
const PATIENCE_MS = 240_000

interface Listed {
  readonly name: string
  readonly liveBuild: number | null
}

export const switched: Fault = {
  name: 'a switch of a projection and its rollback, with MariaDB killed in both',
  hits: 'mariadb',
  alone: true,
  async inject(world) {
    const name = world.random.pick(PROJECTIONS)
    const pauses = [between(world.random, 0, 1_500), between(world.random, 0, 300)]
    const { url } = world.processes('api')[0]!
    const token = await eventually(async () => (await send('POST', `${url}/auth/local`, { body: { code: world.ownerCode } })).body['token'] as string | undefined, { timeoutMs: PATIENCE_MS })
    const live = async (): Promise<number> => {
      const { body } = await send('GET', `${url}/projections`, { token })
      const found = (body['projections'] as Listed[]).find((projection) => projection.name === name)
      if (found?.liveBuild == null) throw new Error(`${name} has no live build`)
      return found.liveBuild
    }
    const ask = async (what: 'rebuild' | 'rollback'): Promise<void> => {
      const { status, body } = await send('POST', `${url}/projections/${name}/${what}`, { token, body: {} })
      if (status !== 202) throw new Error(`${what} of ${name}: ${status} ${JSON.stringify(body)}`)
    }
    const former = await eventually(live, { timeoutMs: PATIENCE_MS })
    await ask('rebuild')
    await killed(world, pauses[0]!)
    const built = await until(() => live(), (build) => build > former, `${name} was not switched`)
    world.say(`${name}: build ${former} gave way to ${built}`)
    await until(() => ask('rollback'), () => true, `no rollback of ${name}`)
    await killed(world, pauses[1]!)
    const back = await until(
      // What was asked may have died with the database; asking again while it is under way is refused.
      async () => {
        const build = await live()
        if (build !== former) await ask('rollback').catch(() => undefined)
        return build
      },
      (build) => build === former,
      `${name} was not rolled back`,
    )
    world.say(`${name}: back at build ${back}`)
  },
}

async function killed({ mariadb }: World, afterMs: number): Promise<void> {
  await lasting(afterMs)
  await mariadb.kill9()
  await mariadb.restart()
}

async function until<T>(look: () => Promise<T>, found: (seen: T) => boolean, complaint: string): Promise<T> {
  const box: { seen?: T } = {}
  await eventually(async () => {
    box.seen = await look()
    return found(box.seen)
  }, { timeoutMs: PATIENCE_MS, everyMs: 250 }).catch((error: unknown) => {
    throw new Error(complaint, { cause: error })
  })
  return box.seen!
}
