// One service as the operating system sees it: a process that starts a role, prints where it is, drains at SIGTERM and ends;
// or, with WEB_CONCURRENCY above 1, several API processes on one port under a parent that starts again what dies.
import cluster, { type Worker } from 'node:cluster'
import type { Config, Role } from './config.ts'
import { firstRun, greeting } from './firstRun.ts'
import { createLogger, type Logger } from './kernel/logger.ts'
import { letYoungGenerationGrow } from './kernel/youngGeneration.ts'
import { LIMITS } from './limits.ts'
import { type Recount, startRecount } from './main.ts'
import { configuredSecrets, readSecrets } from './secrets.ts'

/** Told once what to print; with the program itself where it runs in this very process. */
export type OnReady = (text: string, recount?: Recount) => void

/** Resolves with the exit code once the service has ended: 0 after a signal, 1 after a fault. */
export async function serve(config: Config, onReady: OnReady): Promise<number> {
  const logger = createLogger(config.logLevel, { role: config.role }, { secrets: configuredSecrets(config) })
  const several = config.webConcurrency > 1 && (config.role === 'all' || config.role === 'api')
  const stopped = signalled(logger)
  if (several && cluster.isPrimary) return parent(config, logger, stopped, onReady)
  // Cluster holds the channel to the parent open, and so a child that has drained or could not start would never end.
  if (cluster.isWorker) process.channel?.unref()
  const starting = new AbortController()
  void stopped.then(() => starting.abort(new Error('stopped before it was ready')))
  const recount = await startRecount(config, { signal: starting.signal, threads: true }).catch((error: unknown) => {
    if (starting.signal.aborted) return undefined
    throw error
  })
  if (recount === undefined) return 0
  letYoungGenerationGrow()
  if (cluster.isPrimary) onReady(await firstRun(recount, config), recount)
  const why = await Promise.race([stopped, orphaned()])
  logger.info('draining', { why })
  await recount.close()
  return 0
}

/** The roles that the parent itself takes beside its API processes. */
async function parent(config: Config, logger: Logger, stopped: Promise<string>, onReady: OnReady): Promise<number> {
  const secrets = readSecrets(config)
  const besides: Role[] = config.role === 'all' ? ['append', 'project'] : []
  const parts: Recount[] = []
  for (const role of besides) parts.push(await startRecount({ ...config, role, port: 0, host: '127.0.0.1', ...secrets }))
  const env = { ROLE: 'api', WEB_CONCURRENCY: '1', JWT_SECRET: secrets.jwtSecret, OWNER_CODE: secrets.ownerCode }
  const workers = new Set<Worker>()
  let stopping = false
  const start = (): Promise<void> =>
    new Promise((resolve) => {
      const worker = cluster.fork(env)
      workers.add(worker)
      worker.once('listening', () => resolve())
      worker.once('exit', (code, signal) => {
        workers.delete(worker)
        resolve()
        if (stopping) return
        logger.error('an API process ended; starting another', { code, signal })
        setTimeout(() => void start(), LIMITS.workerRestartMs)
      })
    })
  await Promise.all(Array.from({ length: config.webConcurrency }, start))
  const url = `http://localhost:${config.port}`
  letYoungGenerationGrow()
  logger.info('ready', { url, processes: workers.size })
  onReady(`${greeting(url, secrets.ownerCode, config).join('\n')}\n\n${workers.size} API processes\n`)
  logger.info('draining', { why: await stopped })
  stopping = true
  await Promise.all([...workers].map((worker) => ended(worker)))
  for (const part of parts.reverse()) await part.close()
  return 0
}

function ended(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.once('exit', () => resolve())
    worker.process.kill('SIGTERM')
  })
}

/** Resolves at the first SIGTERM or SIGINT; a second one, or too long a drain, ends the process at once. */
function signalled(logger: Logger): Promise<string> {
  return new Promise((resolve) => {
    let seen = false
    const onSignal = (signal: NodeJS.Signals): void => {
      if (seen) process.exit(1)
      seen = true
      setTimeout(() => {
        logger.error('draining took too long')
        process.exit(1)
      }, LIMITS.shutdownMs).unref()
      resolve(signal)
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}

/** A worker whose parent died drains too: nobody would start or stop it any more. */
function orphaned(): Promise<string> {
  if (cluster.isPrimary) return new Promise(() => undefined)
  return new Promise((resolve) => process.once('disconnect', () => resolve('parent gone')))
}
