// Processor time of a process: what a request costs, even where other programs share the cores.
import { readFileSync } from 'node:fs'

const TICK_MS = 10

/** All threads, user and system, since the process began. Linux only. */
export function cpuMs(pid: number): number {
  return ticks(`/proc/${pid}/stat`) * TICK_MS
}

/** The main thread alone, which is what bounds a Node process; the others collect garbage and write files. */
export function mainThreadMs(pid: number): number {
  return ticks(`/proc/${pid}/task/${pid}/stat`) * TICK_MS
}

function ticks(path: string): number {
  const fields = readFileSync(path, 'utf8').split(') ').at(-1)!.split(' ')
  return Number(fields[11]) + Number(fields[12])
}
