// Which appends look for events that are stored already before they write. Most appends hold none, and the look costs as much
// as a fifth of the writing; the unique key refuses a repeat anyway. So an append that is refused by it has written nothing
// and is done over with the look, as are those that follow it, until one of them holds no repeat.
import type { Plan } from './appendPlan.ts'
import type { Append } from './eventLog.ts'

export class Repeats {
  private readonly partitions = new Set<number>()

  constructor(private readonly isRepeat: (error: unknown) => boolean) {}

  /** `transaction` looks for repeats if it is told to, and leaves nothing behind when it throws. */
  async appended(append: Append, transaction: (findRepeats: boolean) => Promise<Plan>): Promise<Plan> {
    const { partition, packs } = append
    // Commands are tried again as a matter of course, and their streams' versions are checked against what is new.
    const ofStreams = append.expected !== undefined || packs.some(({ events }) => events.some(({ stream }) => stream !== undefined))
    if (!ofStreams && !this.partitions.has(partition)) {
      try {
        return await transaction(false)
      } catch (error) {
        if (!this.isRepeat(error)) throw error
      }
    }
    const plan = await transaction(true)
    if (plan.results.some((pack) => pack.some(({ duplicate }) => duplicate))) this.partitions.add(partition)
    else this.partitions.delete(partition)
    return plan
  }
}
