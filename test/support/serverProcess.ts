// A private server as a process that tests may kill, freeze and bring back on the same port and data.
import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { accessSync, closeSync, constants, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { eventually } from './eventually.ts'

export interface TestServer {
  readonly url: string
  readonly port: number
  /** Of the process that runs now; changes with restart(). */
  readonly pid: number
  /** SIGKILL; resolves when the process is gone. */
  kill9(): Promise<void>
  /** An orderly end; resolves when the process is gone. */
  stop(): Promise<void>
  /** SIGSTOP: connections stay open and nothing answers. Resolves when every thread has stopped, which takes its moment. */
  freeze(): Promise<void>
  thaw(): void
  /** Ends it if it runs (orderly) and starts it on the same port and data; resolves when it answers. */
  restart(): Promise<void>
}

export interface ServerCommand {
  /** What the server is, for messages. */
  readonly name: string
  readonly directory: string
  readonly binary: string
  /** The directory must occur among the arguments: the reaper knows the process by it. */
  arguments(port: number): readonly string[]
  url(port: number): string
  /** Throws until the server answers. */
  ping(url: string): Promise<void>
  readonly stopSignal: NodeJS.Signals
}

const START_TIMEOUT_MS = 60_000

export async function startServer(command: ServerCommand): Promise<TestServer> {
  let last: unknown
  // A free port may be taken by somebody else before the server has it.
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    const port = await freePort()
    try {
      return await run(command, port)
    } catch (error) {
      last = error
    }
  }
  throw last
}

/** Whether every thread of a process stands still after SIGSTOP. */
export function isStopped(pid: number): boolean {
  const tasks = `/proc/${pid}/task`
  if (!existsSync(tasks)) return execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' }).trim().startsWith('T')
  // The state stands after the name, which may hold anything, in parentheses.
  return readdirSync(tasks).every((task) => / T /.test(readFileSync(join(tasks, task, 'stat'), 'utf8').replace(/^.*\)/, '')))
}

async function run(command: ServerCommand, port: number): Promise<TestServer> {
  const url = command.url(port)
  const current: { child: ChildProcess } = { child: await launch(command, port) }
  const signal = (name: NodeJS.Signals): void => {
    current.child.kill(name)
  }
  const end = async (name: NodeJS.Signals): Promise<void> => {
    // A frozen process takes no orderly signal.
    if (name !== 'SIGKILL') signal('SIGCONT')
    await ended(current.child, () => signal(name))
  }
  return {
    url,
    port,
    get pid() {
      return current.child.pid!
    },
    kill9: () => end('SIGKILL'),
    stop: () => end(command.stopSignal),
    freeze: async () => {
      signal('SIGSTOP')
      await eventually(() => isStopped(current.child.pid!))
    },
    thaw: () => signal('SIGCONT'),
    restart: async () => {
      await end(command.stopSignal)
      current.child = await launch(command, port)
    },
  }
}

async function launch(command: ServerCommand, port: number): Promise<ChildProcess> {
  const log = join(command.directory, 'log')
  const output = openSync(log, 'a')
  const child = spawn(command.binary, command.arguments(port), { stdio: ['ignore', output, output], detached: true })
  closeSync(output)
  let failure: Error | undefined
  child.on('error', (error) => (failure = error))
  child.unref()
  if (child.pid !== undefined) writeFileSync(join(command.directory, 'pid'), String(child.pid))
  const died = (): Error | undefined =>
    failure ?? (child.exitCode !== null || child.signalCode !== null ? new Error('it ended') : undefined)
  try {
    await eventually(async () => died() !== undefined || (await command.ping(command.url(port)), true), { timeoutMs: START_TIMEOUT_MS })
    const cause = died()
    if (cause !== undefined) throw cause
    return child
  } catch (cause) {
    child.kill('SIGKILL')
    throw new Error(`${command.name} did not start:\n${readFileSync(log, 'utf8').slice(-2_000)}`, { cause })
  }
}

async function ended(child: ChildProcess, act: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  await new Promise<void>((resolve) => {
    child.ref()
    child.once('exit', () => resolve())
    act()
  })
}

// Below the ports that systems give to outgoing connections: a client that tries again and again to reach a server that is
// down would else be given the server's own port one day, connect to itself, and keep the server from coming back.
const PORTS = { from: 15_000, count: 17_000 }

/** A loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    const port = PORTS.from + randomInt(PORTS.count)
    const server = createServer()
    const taken = await new Promise<Error | undefined>((resolve) => {
      server.once('error', resolve)
      server.listen(port, '127.0.0.1', () => resolve(undefined))
    })
    if (taken === undefined) {
      await new Promise((resolve) => server.close(resolve))
      return port
    }
    if (tries === 100) throw taken
  }
}

// Debian keeps servers where the PATH of an ordinary user does not look.
const SBIN = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/usr/libexec']

/** Full path of the first of these programs that is installed. */
export function findProgram(...names: readonly string[]): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(delimiter), ...SBIN]
  for (const name of names) {
    for (const directory of directories) {
      const file = join(directory, name)
      if (isExecutable(file)) return file
    }
  }
  return undefined
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
