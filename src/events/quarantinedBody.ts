// What is kept of a refused event, read back: the event itself where all of it is there, so that nothing is ever released that
// says less or other than was sent. What is reduced of every event (an address, a URL) was reduced on purpose, and counts as whole.
import { LIMITS } from '../limits.ts'

/** Stands for what was nested too deep to be kept. */
export const LEFT_OUT = '…'

interface Kept {
  readonly code: string
  readonly body: string
  readonly altered: boolean
}

/** The event as it can be sent again; undefined where it was cut, thinned out, altered, or kept in another form than it was sent in. */
export function wholeBody({ code, body, altered }: Kept): { readonly event: unknown } | undefined {
  // Of what the store could not hold, the form that it was to be stored in is kept.
  if (altered || code === 'not_storable') return undefined
  let event: unknown
  try {
    event = JSON.parse(body)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return undefined
  }
  return leftOut(event, LIMITS.jsonDepth) ? undefined : { event }
}

function leftOut(value: unknown, levels: number): boolean {
  if (levels === 0) return value === LEFT_OUT
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).some((inner) => leftOut(inner, levels - 1))
}
