// Numbers as people write them in text, for conditions and measures over what events say.

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

/** The finite decimal number that a text is, and undefined for what merely converts to one (blanks, hex, nothing at all). */
export function numberOf(text: string): number | undefined {
  if (!DECIMAL.test(text)) return undefined
  const number = Number(text)
  return Number.isFinite(number) ? number : undefined
}
