// Processor time and memory of a process as Linux counts them: what a request costs, even where other programs share the cores.
import { readFileSync, writeFileSync } from 'node:fs'

const TICK_MS = 10

/** All threads, user and system, since the process began. Linux only. */
export function cpuMs(pid: number): number {
  return ticks(`/proc/${pid}/stat`) * TICK_MS
}

/** The main thread alone, which is what bounds a Node process; the others collect garbage and write files. */
export function mainThreadMs(pid: number): number {
  return ticks(`/proc/${pid}/task/${pid}/stat`) * TICK_MS
}

/** Resident now (VmRSS) or at most so far (VmHWM), in megabytes. */
export function memoryMb(pid: number, line: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
  return Number(new RegExp(`${line}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? NaN) / 1_024
}

/** The most memory is counted anew from here. */
export function forgetPeakMemory(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

/** Watches a child until it ends: what it used, to within the last tenth of a second. */
export function watchUse(pid: number): { readonly stop: () => { cpuMs: number; peakMb: number } } {
  const use = { cpuMs: 0, peakMb: 0 }
  const look = (): void => {
    try {
      use.cpuMs = cpuMs(pid)
      use.peakMb = memoryMb(pid, 'VmHWM') || use.peakMb
    } catch (error) {
      // It has ended; what was seen last stands.
      if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
  const timer = setInterval(look, 50)
  return {
    stop: () => {
      clearInterval(timer)
      return use
    },
  }
}

function ticks(path: string): number {
  const fields = readFileSync(path, 'utf8').split(') ').at(-1)!.split(' ')
  return Number(fields[11]) + Number(fields[12])
}
