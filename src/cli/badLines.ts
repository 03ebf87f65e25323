// Says which lines of an import were not taken and why: every one is counted, the first are shown, so that a wrong file
// neither hides its faults nor floods the terminal.
import { LIMITS } from '../limits.ts'

export class BadLines {
  private total = 0

  /** `write` puts one line on standard error. */
  constructor(private readonly write: (line: string) => void) {}

  get count(): number {
    return this.total
  }

  report(number: number, reason: string): void {
    this.total += 1
    if (this.total <= LIMITS.badLinesShown) this.write(`line ${number}: ${printable(reason)}`)
    else if (this.total === LIMITS.badLinesShown + 1) this.write('more bad lines follow; they are counted and not shown')
  }
}

/** Without control characters: what stands in a stranger's file must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '·')
}
