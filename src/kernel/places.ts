// So many at once and no more: whoever comes later waits for a place, in order.

export class Places {
  private readonly waiting: (() => void)[] = []

  constructor(private free: number) {}

  /** Runs the work once there is a place for it. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--
    else await new Promise<void>((resolve) => this.waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.waiting.shift()
      if (next === undefined) this.free++
      else next()
    }
  }
}
