// What faults of stores have in common: harm that lasts its time, and hands of the test's own on both stores, as a user whom no
// limit stops.
import { Redis } from 'ioredis'
import mysql from 'mysql2/promise'
import type { Random } from '../support/random.ts'

/** What InnoDB tells of its transactions is a copy, made anew only when nobody has looked at it for 100 ms. */
export const INNODB_LOOK_MS = 200

/** How long harm lasts is part of the harm: it waits for nothing. */
export function lasting(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Milliseconds, from `least` to `most`. */
export function between(random: Random, least: number, most: number): number {
  return least + random.int(most - least + 1)
}

/** A session with all privileges, which may be lost without a word. */
export async function session(databaseUrl: string): Promise<mysql.Connection> {
  const connection = await mysql.createConnection({ uri: databaseUrl, multipleStatements: true })
  connection.on('error', () => undefined)
  return connection
}

export async function withSession<T>(databaseUrl: string, work: (rival: mysql.Connection) => Promise<T>): Promise<T> {
  const rival = await session(databaseUrl)
  try {
    return await work(rival)
  } finally {
    rival.destroy()
  }
}

export async function withRedis<T>(redisUrl: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: 0, retryStrategy: () => null })
  redis.on('error', () => undefined) // the command that fails reports it
  try {
    return await work(redis)
  } finally {
    redis.disconnect()
  }
}

/** The error's number as MySQL tells it; undefined for anything else. */
export function errnoOf(error: unknown): number | undefined {
  const errno = (error as { errno?: unknown } | null)?.errno
  return typeof errno === 'number' ? errno : undefined
}
