// How any text becomes the value of a dimension: never empty, never longer than the stated bound (a cut is visible by its last
// character), and without half characters, which no store keeps apart.
import { LIMITS } from '../../limits.ts'

const CUT = '…'
const HIGH_SURROGATE = /[\ud800-\udbff]$/

type Text = string & { isWellFormed(): boolean; toWellFormed(): string }

export function dimensionText(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined
  const whole = (text as Text).isWellFormed() ? text : (text as Text).toWellFormed()
  if (whole.length <= LIMITS.dimensionValueChars) return whole
  return whole.slice(0, LIMITS.dimensionValueChars - 1).replace(HIGH_SURROGATE, '') + CUT
}
