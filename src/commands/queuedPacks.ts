// What the append queue of a partition holds, by app: for those who ask what became of an event that was acknowledged. Bounded,
// because a backlog may be larger than an answer is worth; whoever asks at the same time is answered from one reading.
import type { Redis } from 'ioredis'
import type { QueuedPack, QueuedPacks, ReadQueued } from '../events/ledger.ts'
import { within } from '../kernel/deadline.ts'
import { isUuid } from '../kernel/ids.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'
import { APPEND_QUEUE, appendPrefix, type PackJob } from './appendJobs.ts'
import { producerConnection } from './queueConnection.ts'

/** Jobs are asked for a few at a time, so that no answer of Redis is larger than a few packs. */
const AT_ONCE = 8

export function queuedPacksOn(redis: Redis, logger: Logger): ReadQueued {
  const underWay = new Map<number, Promise<QueuedPacks | undefined>>()
  return (partition) => {
    let reading = underWay.get(partition)
    if (reading === undefined) {
      reading = readQueued(redis, partition)
        .catch((error: unknown) => {
          logger.debug('the queue cannot be asked what it holds', { partition, error })
          return undefined
        })
        .finally(() => underWay.delete(partition))
      underWay.set(partition, reading)
    }
    return reading
  }
}

/** On a connection of its own; where Redis does not come up at once, nothing is known of what is queued. */
export async function openQueuedPacks(redisUrl: string, logger: Logger): Promise<{ queued: ReadQueued; close(): void }> {
  const redis = producerConnection(redisUrl, logger)
  const ready = new Promise<void>((resolve) => redis.once('ready', () => resolve()))
  await within(LIMITS.redisCommandMs, ready, 'the queue').catch((error: unknown) => logger.warn('the queue cannot be asked', { error }))
  return { queued: queuedPacksOn(redis, logger), close: () => redis.disconnect() }
}

async function readQueued(redis: Redis, partition: number): Promise<QueuedPacks> {
  const queue = `${appendPrefix(partition)}:${APPEND_QUEUE}`
  const ids = await queuedIds(redis, queue)
  const packs: QueuedPack[] = []
  let bytes = 0
  for (let start = 0; start < ids.length; start += AT_ONCE) {
    if (start >= LIMITS.queuedPacksRead || bytes >= LIMITS.queuedBytesRead) return { packs, whole: false }
    const some = ids.slice(start, start + AT_ONCE)
    const asked = redis.pipeline()
    for (const id of some) asked.hget(`${queue}:${id}`, 'data')
    const answers = answersOf(await asked.exec())
    some.forEach((id, index) => {
      const data = answers[index] as string | null
      // One that is gone by now is committed.
      if (data === null) return
      bytes += data.length
      packs.push(packOf(id, JSON.parse(data) as PackJob))
    })
  }
  return { packs, whole: true }
}

/** At one moment: a job that goes from one list to the next would be missed or met twice. */
async function queuedIds(redis: Redis, queue: string): Promise<string[]> {
  const last = LIMITS.queuedPacksRead
  const asked = redis.multi()
  for (const list of ['active', 'wait', 'paused']) asked.lrange(`${queue}:${list}`, 0, last)
  // What a defect failed is kept, and tried again by the next process.
  asked.zrange(`${queue}:failed`, '0', String(last))
  const lists = answersOf(await asked.exec()) as string[][]
  return [...new Set(lists.flat())].filter(isUuid)
}

function answersOf(answers: [Error | null, unknown][] | null): unknown[] {
  if (answers === null) throw new Error('the queue did not answer')
  return answers.map(([error, answer]) => {
    if (error !== null) throw error
    return answer
  })
}

function packOf(deliveryId: string, { receivedAt, kinds, events, rejected }: PackJob): QueuedPack {
  const apps = new Map<string, { accepted: number; rejected: number }>()
  const of = (appId: string): { accepted: number; rejected: number } => {
    let counts = apps.get(appId)
    if (counts === undefined) apps.set(appId, (counts = { accepted: 0, rejected: 0 }))
    return counts
  }
  for (const [kind] of events) of(kinds[kind]![0]).accepted++
  for (const { appId } of rejected) of(appId).rejected++
  return { deliveryId, receivedAt, apps }
}
