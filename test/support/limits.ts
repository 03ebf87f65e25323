// Other bounds than usual while something is done: what is bounded at thousands is tried at a handful.
import { LIMITS } from '../../src/limits.ts'

type Limits = { -readonly [Name in keyof typeof LIMITS]: number }

export async function withLimits<T>(changed: Partial<Limits>, work: () => Promise<T>): Promise<T> {
  const limits = LIMITS as Limits
  const usual = { ...limits }
  Object.assign(limits, changed)
  try {
    return await work()
  } finally {
    Object.assign(limits, usual)
  }
}
