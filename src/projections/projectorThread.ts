// The projector in a thread of its own, on connections of its own, for a process that also collects: neither waits for the
// other's processor, and an acknowledgement waits for no fold. A thread that dies is started again; what it held was never
// written, and its leases run out.
import type { Worker } from 'node:worker_threads'
import type { EventLog } from '../events/eventLog.ts'
import type { Logger } from '../kernel/logger.ts'
import { startThread } from '../kernel/threads.ts'
import { LIMITS } from '../limits.ts'
import type { FromProjectorThread, ThreadSettings, ToProjectorThread } from './projectorThreadMessages.ts'

export interface ProjectorThreadOptions extends ThreadSettings {
  readonly log: Pick<EventLog, 'onAppended'>
  readonly logger: Logger
}

export interface ProjectorThread {
  /** Stops after the transactions under way and gives the leases back. */
  close(): Promise<void>
}

export function startProjectorThread(options: ProjectorThreadOptions): ProjectorThread {
  return new RestartedThread(options)
}

class RestartedThread implements ProjectorThread {
  private worker: Worker | undefined
  private restart: NodeJS.Timeout | undefined
  private readonly unsubscribe: () => void
  private closed = false

  constructor(private readonly options: ProjectorThreadOptions) {
    this.start()
    this.unsubscribe = options.log.onAppended((partition, position) => this.tell({ do: 'poke', partition, position }))
  }

  async close(): Promise<void> {
    this.closed = true
    this.unsubscribe()
    clearTimeout(this.restart)
    const { worker } = this
    if (worker === undefined) return
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    this.tell({ do: 'end' })
    const force = setTimeout(() => void worker.terminate(), LIMITS.projectorThreadStopMs)
    await exited
    clearTimeout(force)
  }

  private start(): void {
    const { url, partitions, logLevel, role, secrets, turns, logger } = this.options
    const workerData: ThreadSettings = { url, partitions, logLevel, role, secrets, turns }
    const worker = startThread(import.meta.url, 'projectorThreadWorker', { workerData, name: 'projector' })
    this.worker = worker
    worker.on('message', ({ line }: FromProjectorThread) => void process.stderr.write(line))
    worker.once('error', (error) => logger.error('the thread of the projector failed', { error }))
    worker.once('exit', (code) => {
      this.worker = undefined
      if (this.closed) return
      logger.error('the thread of the projector ended; starting another', { code })
      this.restart = setTimeout(() => this.start(), LIMITS.workerRestartMs)
    })
  }

  private tell(message: ToProjectorThread): void {
    this.worker?.postMessage(message)
  }
}
