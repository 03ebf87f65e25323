// Clocks that jump: one process' wall clock, by an hour or a day, and back. The check after a run sees to it that nothing in
// the log was recorded earlier than what lies before it in its partition.
import type { Fault } from '../support/fault.ts'
import { between, lasting } from './harm.ts'

const HOUR_MS = 3_600_000

function jump(words: string, aheadMs: number): Fault {
  return {
    name: `clock of one process: ${words}, and back`,
    hits: 'clock',
    async inject(world) {
      const running = world.processes().filter((process) => process.running)
      if (running.length === 0) throw new Error('no process runs whose clock could jump')
      const process = world.random.pick(running)
      const lastsMs = between(world.random, 1_000, 6_000)
      world.say(`${process.name}'s clock is ${words}`)
      await process.tell({ kind: 'clock', aheadMs })
      await lasting(lastsMs)
      // Another life of it has a clock that was never moved.
      if (process.running) await process.tell({ kind: 'clock', aheadMs: 0 })
    },
  }
}

export const CLOCK_FAULTS: readonly Fault[] = [
  jump('an hour ahead', HOUR_MS),
  jump('an hour behind', -HOUR_MS),
  jump('a day ahead', 24 * HOUR_MS),
  jump('a day behind', -24 * HOUR_MS),
]
