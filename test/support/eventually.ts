// Waits for a condition instead of for a while: tests await what they mean, and a failure says what was last seen.

export interface EventuallyOptions {
  timeoutMs?: number
  everyMs?: number
}

/**
 * Calls `condition` until it answers something truthy, and answers that. A condition that throws (an assertion, say)
 * counts as not yet; its last error is the cause of the failure.
 */
export async function eventually<T>(condition: () => T | Promise<T>, options: EventuallyOptions = {}): Promise<NonNullable<T>> {
  const { timeoutMs = 10_000, everyMs = 20 } = options
  const deadline = Date.now() + timeoutMs
  for (;;) {
    let seen: string
    let cause: unknown
    try {
      const value = await condition()
      if (value) return value
      seen = String(value)
    } catch (error) {
      seen = error instanceof Error ? error.message : String(error)
      cause = error
    }
    if (Date.now() >= deadline) throw new Error(`not within ${timeoutMs} ms; last seen: ${seen}`, { cause })
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
