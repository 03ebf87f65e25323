// Texts as small whole numbers, in the order in which they are first seen: a column of a million values is then four
// megabytes, and comparing is comparing numbers.
import { ownText } from '../../kernel/ownText.ts'

export const ABSENT = -1

export class Dictionary {
  private readonly codes = new Map<string, number>()
  readonly values: string[] = []

  get size(): number {
    return this.values.length
  }

  /** The code of a text, taken in when it is new; ABSENT for undefined. */
  code(value: string | undefined): number {
    if (value === undefined) return ABSENT
    const known = this.codes.get(value)
    if (known !== undefined) return known
    const code = this.values.length
    const own = ownText(value)
    this.codes.set(own, code)
    this.values.push(own)
    return code
  }

  /** ABSENT for a text that no row has. */
  find(value: string): number {
    return this.codes.get(value) ?? ABSENT
  }

  valueOf(code: number): string | undefined {
    return code === ABSENT ? undefined : this.values[code]
  }
}
