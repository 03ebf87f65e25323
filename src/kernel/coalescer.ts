// Makes batches size themselves: what arrives while earlier work is in flight goes out together as soon as a place is free.
// Bounded by count and bytes per batch, by work in flight, and optionally waiting a moment for a batch to fill.

export interface CoalescerOptions<Item, Result> {
  /** Does the work for one batch and answers one result per item, in order. A rejection rejects the whole batch. */
  readonly flush: (items: readonly Item[]) => Promise<readonly Result[]>
  readonly maxItems: number
  /** With sizeOf: a batch holds at most this many bytes, or one item. */
  readonly maxBytes?: number
  readonly sizeOf?: (item: Item) => number
  /** How much an item counts towards maxItems; 1 unless given. */
  readonly countOf?: (item: Item) => number
  /** Batches at work at the same time; 1 unless given, which also keeps them in order. */
  readonly maxInFlight?: number
  /** A batch beside another one at work goes out only with at least this many items, so that load makes batches larger; 1 unless given. */
  readonly minItemsBeside?: number
  /** How long a batch that is not full waits for more; 0 (at once) unless given. */
  readonly maxWaitMs?: number
}

interface Waiting<Item, Result> {
  readonly item: Item
  readonly bytes: number
  readonly count: number
  readonly since: number
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/** Thrown by `add` after `close`. */
export class CoalescerClosed extends Error {
  constructor() {
    super('closed: takes nothing more')
    this.name = 'CoalescerClosed'
  }
}

export class Coalescer<Item, Result> {
  private waiting: Waiting<Item, Result>[] = []
  private start = 0
  private items = 0
  private bytes = 0
  private flights = 0
  private closed = false
  private scheduled = false
  private timer: NodeJS.Timeout | undefined
  private readonly idle: (() => void)[] = []

  constructor(private readonly options: CoalescerOptions<Item, Result>) {}

  /** What waits for its flush, counted by countOf. */
  get queuedItems(): number {
    return this.items
  }

  /** What waits for its flush, by sizeOf. */
  get queuedBytes(): number {
    return this.bytes
  }

  get inFlight(): number {
    return this.flights
  }

  /** Resolves with the item's result once its batch is done. */
  add(item: Item): Promise<Result> {
    if (this.closed) return Promise.reject(new CoalescerClosed())
    const bytes = this.options.sizeOf?.(item) ?? 0
    const count = this.options.countOf?.(item) ?? 1
    return new Promise<Result>((resolve, reject) => {
      this.waiting.push({ item, bytes, count, since: this.options.maxWaitMs ? performance.now() : 0, resolve, reject })
      this.items += count
      this.bytes += bytes
      this.schedule()
    })
  }

  /** Takes nothing more, flushes what waits without further delay, and resolves when all of it is done. */
  close(): Promise<void> {
    this.closed = true
    this.pump()
    return this.drained()
  }

  /** Resolves when nothing waits and nothing is in flight. */
  drained(): Promise<void> {
    if (this.flights === 0 && this.start === this.waiting.length) return Promise.resolve()
    return new Promise((resolve) => this.idle.push(resolve))
  }

  /** Once per turn of the event loop, so that everything which arrives in one turn makes one batch. */
  private schedule(): void {
    if (this.scheduled || !this.mayFly()) return
    this.scheduled = true
    setImmediate(() => {
      this.scheduled = false
      this.pump()
    })
  }

  private pump(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    while (this.start < this.waiting.length && this.mayFly()) {
      const waitMs = this.waitMs()
      if (waitMs > 0) {
        this.timer = setTimeout(() => this.pump(), waitMs)
        return
      }
      void this.fly(this.take())
    }
  }

  private mayFly(): boolean {
    if (this.flights === 0 || this.closed) return this.flights < (this.options.maxInFlight ?? 1)
    return this.flights < (this.options.maxInFlight ?? 1) && this.items >= (this.options.minItemsBeside ?? 1)
  }

  private waitMs(): number {
    const maxWaitMs = this.options.maxWaitMs ?? 0
    if (maxWaitMs === 0 || this.closed || this.items >= this.options.maxItems) return 0
    if (this.options.maxBytes !== undefined && this.bytes >= this.options.maxBytes) return 0
    return this.waiting[this.start]!.since + maxWaitMs - performance.now()
  }

  private take(): Waiting<Item, Result>[] {
    const { maxItems, maxBytes = Number.POSITIVE_INFINITY } = this.options
    let end = this.start
    let items = 0
    let bytes = 0
    while (end < this.waiting.length) {
      const next = this.waiting[end]!
      if (end > this.start && (items + next.count > maxItems || bytes + next.bytes > maxBytes)) break
      items += next.count
      bytes += next.bytes
      end++
    }
    const batch = this.waiting.slice(this.start, end)
    this.start = end
    this.items -= items
    this.bytes -= bytes
    // Dropping the taken front only now and then keeps a long queue from being copied at every batch.
    if (this.start === this.waiting.length || this.start > 10_000) {
      this.waiting = this.waiting.slice(this.start)
      this.start = 0
    }
    return batch
  }

  private async fly(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    this.flights++
    try {
      const results = await this.options.flush(batch.map(({ item }) => item))
      if (results.length !== batch.length) throw new RangeError(`flush answered ${results.length} results for ${batch.length} items`)
      batch.forEach(({ resolve }, index) => resolve(results[index]!))
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
    this.flights--
    if (this.start < this.waiting.length) this.schedule()
    else if (this.flights === 0) for (const resolve of this.idle.splice(0)) resolve()
    if (this.closed) this.pump()
  }
}
