// One process of a world through all its lives: on one port, behind cables of its own, and talked to by what is preloaded.
import { eventually } from '../../support/eventually.ts'
import { type RecountProcess, startProcess } from '../../support/processes.ts'
import { freePort, isStopped } from '../../support/serverProcess.ts'
import type { OpenCable } from './cables.ts'
import { type ControlAnswer, type ControlMessage, type Point, type PointAction, type ProcessName, type ProcessRole, type StoreName, type WorldProcess } from './fault.ts'
import { compiledPreloads } from './preloads.ts'

const ARM_MS = 20_000
/** A process that stands still for another fault understands nothing until it is thawed. */
const TOLD_MS = 120_000
/** One that ends while it starts, because a store refuses it for another fault's sake, is started again: what watches over processes does so. */
const STARTS = 5

export interface Member extends WorldProcess {
  readonly cables: Readonly<Record<StoreName, OpenCable>>
  arm(point: Point, options?: { readonly action?: PointAction; readonly timeoutMs?: number }): Promise<void>
  /** What it wrote before it ended although nobody ended it; undefined: it never did. */
  readonly crash: string | undefined
}

export interface MemberPlace {
  readonly name: ProcessName
  readonly cables: Readonly<Record<StoreName, OpenCable>>
  readonly env: Readonly<Record<string, string>>
}

interface Life {
  readonly process: RecountProcess
  ended: boolean
  /** Somebody has ended it or armed it. */
  expected: boolean
}

/** Not running until its first restart(). */
export async function createMember({ name, cables, env }: MemberPlace): Promise<Member> {
  const role = name.replace(/-.*/, '') as ProcessRole
  const port = await freePort()
  let life: Life | undefined
  let crash: string | undefined
  const alive = (): Life => {
    if (life === undefined || life.ended) throw new Error(`${name} does not run`)
    return life
  }
  const start = async (more: Readonly<Record<string, string>>): Promise<void> => {
    const stores = { DATABASE_URL: cables.mariadb.url, REDIS_URL: cables.redis.url }
    const started = await persistently(() => startProcess(role, { ...env, ...stores, PORT: String(port), ...more }, { preloads: compiledPreloads() }))
    const born: Life = { process: started, ended: false, expected: false }
    life = born
    void started.exited.then((code) => {
      born.ended = true
      if (!born.expected) crash ??= `${name} ended with ${code ?? 'a signal'}:\n${started.log().slice(-4_000)}`
    })
  }
  const member: Member = {
    name,
    role,
    url: `http://127.0.0.1:${port}`,
    cables,
    get pid() {
      return alive().process.pid
    },
    get running() {
      return life !== undefined && !life.ended
    },
    get crash() {
      return crash
    },
    log: () => life?.process.log() ?? '',
    async kill9() {
      if (life === undefined || life.ended) return
      life.expected = true
      await life.process.kill9()
    },
    async terminate() {
      const { process } = Object.assign(alive(), { expected: true })
      process.child.kill('SIGCONT')
      return process.stop()
    },
    async freeze() {
      const { process } = alive()
      process.child.kill('SIGSTOP')
      await eventually(() => isStopped(process.pid))
    },
    thaw: () => void alive().process.child.kill('SIGCONT'),
    async restart(more = {}) {
      await member.kill9()
      await start(more)
    },
    tell: (message) => told(alive(), message),
    async arm(point, { action = 'kill', timeoutMs = ARM_MS } = {}) {
      const armed = alive()
      armed.expected ||= action === 'kill'
      const { child, pid } = armed.process
      await told(armed, { kind: 'arm', point, action })
      const reached = action === 'kill' ? () => armed.ended : () => armed.ended || isStopped(pid)
      try {
        await eventually(reached, { timeoutMs, everyMs: 5 })
      } catch (error) {
        if (!armed.ended) child.send({ kind: 'disarm' } satisfies ControlMessage)
        throw new Error(`${name} was armed and never came to "${point}"`, { cause: error })
      }
      if (action === 'freeze' && armed.ended) throw new Error(`${name} ended instead of standing still at "${point}"`)
    },
  }
  return member
}

async function persistently<T>(start: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await start()
    } catch (error) {
      if (tries === STARTS) throw error
      await new Promise((resolve) => setTimeout(resolve, tries * 1_000))
    }
  }
}

/** Resolves when a preloaded module has understood, or the process has ended. */
async function told(life: Life, message: ControlMessage): Promise<void> {
  const { child, exited } = life.process
  const understood = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no preloaded module understands "${message.kind}"`)), TOLD_MS)
    const listen = (answer: ControlAnswer): void => {
      if (answer.of !== message.kind) return
      clearTimeout(timer)
      child.off('message', listen)
      resolve()
    }
    child.on('message', listen)
    void exited.then(() => clearTimeout(timer))
  })
  child.send(message)
  await Promise.race([understood, exited])
}
