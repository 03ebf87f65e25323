// A bounded cache in memory: the entry that was used least recently goes first. Bounded by entries and, when weights are
// given, by their sum, because entries of very different size must not fill the heap.

export class Lru<K, V> {
  private readonly entries = new Map<K, { value: V; weight: number }>()
  private weight = 0
  /** The entry that stands last already: a cache that is asked for one thing over and over has nothing to move. */
  private newest: { value: V; weight: number } | undefined

  constructor(
    private readonly maxEntries: number,
    private readonly maxWeight = Number.POSITIVE_INFINITY,
  ) {}

  get size(): number {
    return this.entries.size
  }

  get(key: K): V | undefined {
    const entry = this.entries.get(key)
    if (entry === undefined || entry === this.newest) return entry?.value
    this.entries.delete(key)
    this.entries.set(key, entry)
    this.newest = entry
    return entry.value
  }

  set(key: K, value: V, weight = 0): void {
    this.delete(key)
    if (weight > this.maxWeight) return
    this.newest = { value, weight }
    this.entries.set(key, this.newest)
    this.weight += weight
    while (this.entries.size > this.maxEntries || this.weight > this.maxWeight) {
      const oldest = this.entries.keys().next()
      if (oldest.done) break
      this.delete(oldest.value)
    }
  }

  delete(key: K): void {
    const entry = this.entries.get(key)
    if (entry === undefined) return
    this.entries.delete(key)
    this.weight -= entry.weight
  }

  clear(): void {
    this.entries.clear()
    this.weight = 0
  }
}
