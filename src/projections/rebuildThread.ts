// Rebuilds that are asked for over HTTP, each in a thread of its own on connections of its own: the process that was asked goes
// on answering and collecting meanwhile. A thread that dies leaves its build as it was, to be gone on with when asked again.
import { startThread } from '../kernel/threads.ts'
import { LIMITS } from '../limits.ts'
import type { ThreadSettings } from './projectorThreadMessages.ts'
import type { CarryOut, RebuildEnd, RebuildJob } from './rebuildJobs.ts'

export interface RebuildThreadSettings extends ThreadSettings {
  readonly job: RebuildJob
}

export type FromRebuildThread = { readonly line: string } | { readonly end: RebuildEnd } | { readonly failure: { readonly name: string; readonly message: string; readonly stack?: string | undefined } }

export function carryingOutInThreads(settings: ThreadSettings): CarryOut {
  return (job, signal) =>
    new Promise((resolve, reject) => {
      const workerData: RebuildThreadSettings = { ...settings, job }
      const worker = startThread(import.meta.url, 'rebuildThreadWorker', { workerData, name: `${job.do} ${job.projection}` })
      let force: NodeJS.Timeout | undefined
      const abort = (): void => {
        worker.postMessage('end')
        force = setTimeout(() => void worker.terminate(), LIMITS.projectorThreadStopMs)
      }
      let ended: (() => void) | undefined
      worker.on('message', (message: FromRebuildThread) => {
        if ('line' in message) process.stderr.write(message.line)
        else if ('end' in message) ended = () => resolve(message.end)
        else ended = () => reject(Object.assign(new Error(message.failure.message), message.failure))
      })
      worker.once('error', (error) => {
        ended = () => reject(error)
      })
      // Not before it is gone: whoever waits for the end may close the stores.
      worker.once('exit', (code) => {
        clearTimeout(force)
        signal.removeEventListener('abort', abort)
        if (ended === undefined) reject(new Error(`the thread of a rebuild ended with ${code}`))
        else ended()
      })
      if (signal.aborted) abort()
      else signal.addEventListener('abort', abort, { once: true })
    })
}
