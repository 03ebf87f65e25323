// Answers in this process' memory, bounded by entries and bytes, for embedded mode and one process beside a MySQL.
import type { Clock } from '../kernel/clock.ts'
import { systemClock } from '../kernel/clock.ts'
import { Lru } from '../kernel/lru.ts'
import { LIMITS } from '../limits.ts'
import type { AnswerCache } from './cache.ts'

interface Options {
  readonly maxEntries?: number
  readonly maxBytes?: number
  readonly ttlSeconds?: number
  readonly clock?: Clock
}

export function createMemoryCache(options: Options = {}): AnswerCache {
  const { maxEntries = LIMITS.cacheEntries, maxBytes = LIMITS.cacheBytes, ttlSeconds = LIMITS.cacheTtlSeconds, clock = systemClock } = options
  const answers = new Lru<string, { answer: string; untilMs: number }>(maxEntries, maxBytes)
  return {
    get: (key) => {
      const found = answers.get(key)
      if (found !== undefined && found.untilMs > clock.now()) return Promise.resolve(found.answer)
      answers.delete(key)
      return Promise.resolve(undefined)
    },
    set: (key, answer) => {
      // Strings take up to two bytes a character.
      answers.set(key, { answer, untilMs: clock.now() + ttlSeconds * 1_000 }, 2 * (key.length + answer.length))
      return Promise.resolve()
    },
    close: () => {
      answers.clear()
      return Promise.resolve()
    },
  }
}
