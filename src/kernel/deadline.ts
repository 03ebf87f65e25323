// Bounds a wait: what hangs fails instead, so that a store that was cut off without a word cannot hold its caller for ever.

export class DeadlineExceeded extends Error {
  constructor(
    readonly what: string,
    readonly ms: number,
  ) {
    super(`${what} did not answer within ${ms} ms`)
    this.name = 'DeadlineExceeded'
  }
}

/** The answer of `work`, or DeadlineExceeded after `ms`. The work itself goes on, and its outcome is dropped. */
export async function within<T>(ms: number, work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineExceeded(what, ms)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
