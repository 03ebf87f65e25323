// What was made of a text, remembered by the text, within bounds. Two generations instead of a list of uses: what was looked at
// since the last turn stays, at the cost of one lookup, which is what a fold over millions of events can pay. Bounded by
// characters as well, because one text may be as long as a hundred others.
import { ownText } from './ownText.ts'

export class Generations<V> {
  private young = new Map<string, V>()
  private old = new Map<string, V>()
  private chars = 0

  /** Each bound is that of one of the two generations. `make` never makes undefined. */
  constructor(
    private readonly make: (text: string) => V,
    private readonly maxTexts: number,
    private readonly maxChars: number,
  ) {}

  get(text: string): V {
    const known = this.young.get(text)
    if (known !== undefined) return known
    const older = this.old.get(text)
    const own = ownText(text)
    const value = older === undefined ? this.make(own) : older
    if (this.young.size >= this.maxTexts || this.chars + text.length > this.maxChars) {
      this.old = this.young
      this.young = new Map()
      this.chars = 0
    }
    this.young.set(own, value)
    this.chars += text.length
    return value
  }
}
