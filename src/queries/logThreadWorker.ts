// The thread in which the log is read for answers: one task at a time, at a lower priority than the threads that collect and
// serve, on a connection of its own that it opens with its first task.
import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { setImmediate as turn } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { Problem } from '../errors.ts'
import { type LogReader, openLogReader } from '../events/openLogReader.ts'
import { systemClock } from '../kernel/clock.ts'
import { LIMITS } from '../limits.ts'
import { LogTooLong, type LogSource } from './fromLog/logSource.ts'
import { type LogTask, performTask } from './fromLog/logTask.ts'
import type { FromThread, ThreadFailure, ThreadSettings, ToThread } from './logThreadMessages.ts'

const NICE = 10

const port = parentPort!
const settings = workerData as ThreadSettings
const tell = (message: FromThread): void => port.postMessage(message)
let opened: Promise<LogReader> | undefined
let current: AbortController | undefined

giveWay()
port.on('message', (message: ToThread) => {
  if (message.do === 'task') void take(message.task)
  else if (message.do === 'cancel') current?.abort()
  else void end()
})

async function take(task: LogTask): Promise<void> {
  const { signal } = (current = new AbortController())
  let toldMs = 0
  const onProgress = (scanned: number): void => {
    const nowMs = performance.now()
    if (nowMs - toldMs < LIMITS.logProgressMs) return
    toldMs = nowMs
    tell({ tell: 'progress', scanned })
  }
  let reader: LogReader | undefined
  try {
    reader = await (opened ??= openLogReader({ url: settings.url, partitions: settings.partitions, clock: systemClock }))
    const outcome = await performTask(inTurns(reader), task, { signal, onProgress, maxEvents: settings.maxEvents })
    tell({ tell: 'outcome', outcome })
  } catch (error) {
    // A connection that could not be opened is tried again by the next task.
    if (reader === undefined) opened = undefined
    tell({ tell: 'failure', failure: failureOf(error, signal, reader) })
  }
}

/** Reading SQLite is synchronous: between two pages the thread hears whether it is still wanted. */
function inTurns(log: LogSource): LogSource {
  return {
    ...log,
    async scan(appId, after, limit) {
      await turn()
      return log.scan(appId, after, limit)
    },
  }
}

function failureOf(error: unknown, signal: AbortSignal, reader: LogReader | undefined): ThreadFailure {
  if (signal.aborted) return { is: 'cancelled' }
  if (error instanceof LogTooLong) return { is: 'tooLong', maxEvents: error.maxEvents }
  if (error instanceof Problem) return { is: 'problem', code: error.code, detail: error.message, errors: error.errors }
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  const isAway = reader === undefined || reader.classify(error) === 'transient'
  return { is: isAway ? 'away' : 'defect', message, stack }
}

async function end(): Promise<void> {
  current?.abort()
  const reader = await opened?.catch(() => undefined)
  await reader?.close()
  port.close()
}

/** Only Linux gives threads priorities of their own; elsewhere all of the process would give way. */
function giveWay(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), NICE)
  } catch {
    // Without a /proc, or not allowed: the answer is as right, and the others wait a little more for it.
  }
}
