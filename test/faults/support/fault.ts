// What a fault is, and the world it happens to. A fault does its harm and heals it (restarts what it killed, mends what it
// cut); from then on Recount has to recover without help. Lists of faults: test/faults/processFaults.ts (PROCESS_FAULTS) and
// test/faults/storeFaults.ts (STORE_FAULTS).
import type { MariadbServer, TestServer } from '../../support/servers.ts'
import type { Random } from './random.ts'

export interface Fault {
  /** Stands in the journal and the table of faults, so it says what happens: `kill -9 of an API process`. */
  readonly name: string
  /** Two faults happen at once only when they hit different things. */
  readonly hits: 'process' | 'mariadb' | 'redis' | 'network' | 'clock' | 'load'
  /** It leaves no process or store for a second fault to hit; nothing else happens meanwhile. */
  readonly alone?: boolean
  /**
   * Does harm and heals it. Resolves when the harm is over, not when Recount has recovered: that is awaited by the schedule.
   * Rejects when the harm could not be done, which fails the run. Draws from `world.random` only, before its first wait
   * where it can, so that the seed replays it.
   */
  inject(world: World): Promise<void>
}

export const PROCESS_NAMES = ['api-1', 'api-2', 'append-1', 'append-2', 'project-1', 'project-2'] as const
export type ProcessName = (typeof PROCESS_NAMES)[number]
export type ProcessRole = 'api' | 'append' | 'project'
export type StoreName = 'mariadb' | 'redis'

export interface World {
  readonly seed: number
  /** Of this fault alone: two faults at once do not draw from each other's. */
  readonly random: Random
  /** On a small disk of its own. */
  readonly mariadb: MariadbServer
  readonly redis: TestServer
  /** Without a cable: for the hand of the test. */
  readonly databaseUrl: string
  readonly redisUrl: string
  /** What every process is given as its environment, cables aside. */
  readonly env: Readonly<Record<string, string>>
  readonly ownerCode: string
  process(name: ProcessName): WorldProcess
  /** All, or all of a role, whether they run or not. */
  processes(role?: ProcessRole): readonly WorldProcess[]
  /**
   * Arms a running process for a named point and resolves when it has died there (or stands still, with `freeze`).
   * Rejects, and disarms it, when the point is not reached within `timeoutMs` (20,000).
   */
  arm(name: ProcessName, point: Point, options?: { readonly action?: PointAction; readonly timeoutMs?: number }): Promise<void>
  /** A line of the journal, with the time. */
  say(text: string): void
}

export interface WorldProcess {
  readonly name: ProcessName
  readonly role: ProcessRole
  /** Where it listens, without a trailing slash: the same through all its lives. */
  readonly url: string
  readonly pid: number
  readonly running: boolean
  /** Everything that this life of it wrote to standard error. */
  log(): string
  /** SIGKILL, also of a frozen process; resolves when it is gone. Does nothing where none runs. */
  kill9(): Promise<void>
  /** SIGTERM; resolves with the exit code, null when it was killed instead. A frozen process is thawed first. */
  terminate(): Promise<number | null>
  /** SIGSTOP; resolves when every thread stands still. */
  freeze(): Promise<void>
  thaw(): void
  /**
   * Starts it again on the same port and cables (kill -9 first where it runs); resolves when it says that it is ready, so a
   * store that is away must not be brought back after this. `env` is for this life only.
   */
  restart(env?: Readonly<Record<string, string>>): Promise<void>
  /** To the preloaded modules of this life; resolves when one has understood, or it has ended. */
  tell(message: ControlMessage): Promise<void>
  /** Its own connections to each store; nobody else's. */
  readonly cables: Readonly<Record<StoreName, Cable>>
}

export interface Cable {
  /** Connections break, and none is made. */
  cut(): Promise<void>
  /** Connections stay open (and are taken), and nothing comes through. */
  freeze(): Promise<void>
  /** Everything comes through, so much later each way. */
  slow(delayMs: number): Promise<void>
  mend(): Promise<void>
}

/**
 * The children load every file of PRELOADS (with --import, compiled by preloads.ts: each stands alone), and are spawned with an
 * IPC channel over which they get ControlMessages. A preload acts in the main thread only (isMainThread), unrefs process.channel, so that it keeps
 * nothing alive, and works for the source as for the built program: it patches what npm packages export, not src/.
 */
export const PRELOADS = ['points.ts', 'clock.ts'] as const

export const POINTS = [
  // API: some of the body is read and the rest has not come; needs a client that sends slowly.
  'api: in mid-request',
  // The queue has the events, and the client has not been told: the turn of Redis' answer, and that of ours.
  'api: after Redis, before the answer',
  'api: queued, before the answer',
  // The log has the events of a request with ack=stored, and the client has not been told.
  'api: stored, before the answer',
  // Append worker.
  'append: after BEGIN',
  'append: between INSERT and COMMIT',
  'append: after COMMIT, before the job is completed',
  // Project worker: the order of the two is the program's; the point lies between them, in one transaction.
  'project: between read model and checkpoint',
  'project: before COMMIT',
  'project: after COMMIT',
] as const
export type Point = (typeof POINTS)[number]

/** `kill`: SIGKILL of itself, in the same turn. `freeze`: SIGSTOP of itself, in the same turn; it goes on where it stood once thawed. */
export type PointAction = 'kill' | 'freeze'

/** From the test to a child. Arming replaces what was armed; a point fires once. Clocks: Date.now() and new Date(), not performance.now(). */
export type ControlMessage =
  | { readonly kind: 'arm'; readonly point: Point; readonly action: PointAction }
  | { readonly kind: 'disarm' }
  | { readonly kind: 'clock'; readonly aheadMs: number }

/** From a child to the test: it has understood `arm`, `disarm` or `clock`. */
export interface ControlAnswer {
  readonly kind: 'done'
  readonly of: ControlMessage['kind']
}
