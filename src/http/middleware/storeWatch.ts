// A question may take as long as it needs while the store lives. A store that hangs (frozen, cut off without a word) fails
// nothing by itself, so whoever has waited for a while has the store asked something small: without an answer, it is 503.
import type { RequestHandler } from 'express'
import { Problem } from '../../errors.ts'
import { within } from '../../kernel/deadline.ts'
import { LIMITS } from '../../limits.ts'
import type { HttpDeps } from '../deps.ts'
import { writeProblem } from '../problems.ts'

export function answeredWhileStoreHangs(deps: Pick<HttpDeps, 'logger' | 'isAway' | 'askStore'>): RequestHandler {
  let asking: Promise<unknown> | undefined
  // All who wait share one look at the store.
  const look = (): Promise<unknown> =>
    (asking ??= within(LIMITS.storeAnswerMs, deps.askStore(), 'the store').finally(() => {
      asking = undefined
    }))
  return (req, res, next) => {
    // What changes something may have happened although nobody said so: commands have bounds of their own.
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      next()
      return
    }
    let timer: NodeJS.Timeout
    const watch = (): void => {
      timer = setTimeout(() => {
        if (res.headersSent) return
        look().then(watch, (cause: unknown) => {
          if (!res.headersSent && !res.destroyed) writeProblem(res, new Problem('unavailable', undefined, { cause }), deps)
        })
      }, LIMITS.storeSuspectMs)
    }
    watch()
    res.once('close', () => clearTimeout(timer))
    next()
  }
}
