// What a piece of work in this process took: where other programs share the machine, processor time tells more than the clock.
import { performance } from 'node:perf_hooks'

export interface Lap {
  readonly seconds: number
  /** Of all threads of this process. */
  readonly cpuSeconds: number
}

export async function lap(work: () => Promise<unknown>): Promise<Lap> {
  const [from, cpu] = [performance.now(), process.cpuUsage()]
  await work()
  const { user, system } = process.cpuUsage(cpu)
  return { seconds: (performance.now() - from) / 1_000, cpuSeconds: (user + system) / 1e6 }
}
