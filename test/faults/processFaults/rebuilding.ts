// A rebuild and the way back under load, with kill -9 of whoever is at it: asked again, it goes on and ends, and the numbers are
// those of any other build.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { send } from '../../support/client.ts'
import { eventually } from '../../support/eventually.ts'
import { PROGRAM } from '../../support/processes.ts'
import type { Fault, World } from '../support/fault.ts'
import { between, lasting, withSession } from '../storeFaults/harm.ts'

const PROJECTIONS = ['eventSummary', 'userStats', 'web'] as const
const PATIENCE_MS = 240_000

const overHttp: Fault = {
  name: 'kill -9 of the API process that rebuilds, and of the one that goes back',
  hits: 'process',
  alone: true,
  async inject(world) {
    const name = world.random.pick(PROJECTIONS)
    const [first, second] = [world.random.pick(world.processes('api')), world.random.pick(world.processes('api'))]
    const former = await liveBuild(world, name)
    const token = await signIn(world)
    const ask = async (url: string, what: 'rebuild' | 'rollback'): Promise<void> => {
      const { status, body } = await send('POST', `${url}/projections/${name}/${what}`, { token, body: {} })
      if (status !== 202 && status !== 409) throw new Error(`${what} of ${name}: ${status} ${JSON.stringify(body)}`)
    }
    for (const [what, victim, done] of [
      ['rebuild', first, (build: number) => build > former],
      ['rollback', second, (build: number) => build === former],
    ] as const) {
      const over = async (): Promise<boolean> => done(await liveBuild(world, name))
      const died = world.arm(victim.name, 'project: before COMMIT', { timeoutMs: PATIENCE_MS })
      const victimIs = { dead: false }
      const noted = died.finally(() => (victimIs.dead = true))
      // Understood twice, and certainly before the process is asked; an API process folds nothing else.
      await victim.tell({ kind: 'arm', point: 'project: before COMMIT', action: 'kill' })
      // Refused while the lease of whoever was at it before runs.
      await eventually(async () => victimIs.dead || (await over()) || (await ask(victim.url, what), false), { timeoutMs: PATIENCE_MS, everyMs: 1_000 })
      // A way back that has nothing left to fold is over without such a commit.
      if (!victimIs.dead) await victim.kill9()
      await noted
      await victim.restart()
      await eventually(async () => (await over()) || (await ask(victim.url, what), false), { timeoutMs: PATIENCE_MS, everyMs: 1_000 })
      world.say(`${name}: ${what}, killed and asked again, is done`)
    }
  },
}

const byHand: Fault = {
  name: 'kill -9 of recount replay and of its rollback',
  hits: 'process',
  alone: true,
  async inject(world) {
    const name = world.random.pick(PROJECTIONS)
    const pauses = [between(world.random, 300, 3_000), between(world.random, 300, 1_500)]
    const former = await liveBuild(world, name)
    for (const [index, flags] of [[], ['--rollback', String(former)]].entries()) {
      const victim = replay(world, name, flags)
      await lasting(pauses[index]!)
      victim.kill()
      await victim.ended
      const built = await liveBuild(world, name)
      // Killed after its work was done, there is nothing left to ask for.
      if (flags.length === 0 ? built > former : built === former) continue
      const again = replay(world, name, flags)
      const code = await again.ended
      if (code !== 0) throw new Error(`recount replay ${name} ${flags.join(' ')} ended with ${code ?? 'a signal'}: ${again.output()}`)
    }
    const live = await liveBuild(world, name)
    if (live !== former) throw new Error(`${name}: build ${live} is live, not ${former}`)
  },
}

/** The program as an operator runs it. */
function replay({ env, databaseUrl }: World, name: string, flags: readonly string[]): { kill(): void; readonly ended: Promise<number | null>; output(): string } {
  const environment = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env, DATABASE_URL: databaseUrl }
  const child = spawn(process.execPath, [...PROGRAM, 'replay', name, ...flags], { env: environment, stdio: ['ignore', 'ignore', 'pipe'] })
  let output = ''
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return { kill: () => void child.kill('SIGKILL'), ended: once(child, 'exit').then(([code]) => code as number | null), output: () => output.slice(-2_000) }
}

function signIn(world: World): Promise<string> {
  const { url } = world.processes('api')[0]!
  return eventually(async () => (await send('POST', `${url}/auth/local`, { body: { code: world.ownerCode } })).body['token'] as string | undefined, { timeoutMs: PATIENCE_MS })
}

function liveBuild({ databaseUrl }: World, name: string): Promise<number> {
  return withSession(databaseUrl, async (session) => {
    const [rows] = await session.query('SELECT live_build AS build FROM projections WHERE projection = ?', [name])
    return (rows as { build: number }[])[0]!.build
  })
}

export const REBUILDING: readonly Fault[] = [overHttp, byHand]
