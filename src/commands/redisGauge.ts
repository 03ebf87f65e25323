// Whether the queue's Redis can take more: asked a few times a second, and told at once when a command fails, so that no
// request waits for a Redis that is known to be away, hung or filling up.
import type { Redis } from 'ioredis'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'

export type RedisState = 'ok' | 'down' | 'full'

export interface RedisGauge {
  readonly state: RedisState
  readonly usedBytes: number
  /** Replicas that must confirm what is acknowledged; 0 where Redis is not replicated. */
  readonly replicas: number
  /** A command failed: nothing more goes there until a probe succeeds. */
  failed(error: unknown): void
  stop(): void
}

export function createRedisGauge(redis: Redis, logger: Logger): RedisGauge {
  const gauge = { state: 'down' as RedisState, usedBytes: 0, replicas: 0, failed, stop }
  let stopped = false
  let failures = 0

  const turn = (state: RedisState, error?: unknown): void => {
    if (gauge.state === state) return
    gauge.state = state
    const say = state === 'ok' ? 'info' : 'warn'
    logger[say](`the queue's Redis is ${state}`, { usedBytes: gauge.usedBytes, ...(error === undefined ? {} : { error }) })
  }

  function failed(error: unknown): void {
    failures++
    turn(isFull(error) ? 'full' : 'down', error)
  }

  const probe = async (): Promise<void> => {
    const before = failures
    try {
      const info = await redis.info('memory', 'replication')
      gauge.usedBytes = field(info, 'used_memory')
      gauge.replicas = field(info, 'connected_slaves')
      const capacity = Math.min(field(info, 'maxmemory') || Number.POSITIVE_INFINITY, LIMITS.queueBytes)
      const full = gauge.usedBytes > capacity * LIMITS.queueMemoryShare
      // A failure that came while we asked is newer than the answer.
      if (before === failures) turn(full ? 'full' : 'ok')
    } catch (error) {
      turn('down', error)
    }
  }

  const loop = async (): Promise<void> => {
    await probe()
    if (!stopped) timer = setTimeout(() => void loop(), LIMITS.redisProbeMs)
  }

  let timer: NodeJS.Timeout | undefined
  redis.on('ready', () => void probe())
  void loop()

  function stop(): void {
    stopped = true
    clearTimeout(timer)
  }
  return gauge
}

function isFull(error: unknown): boolean {
  return error instanceof Error && /\bOOM\b|MISCONF/.test(error.message)
}

function field(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0)
}
