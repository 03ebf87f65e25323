// A process that appends: `appender.ts <url> <app id> <from> <to>`. Event n of an app has the id UUIDv5(app, n), so that two
// processes with overlapping ranges append the same events. Prints how many it stored and how many were there.
import { uuidv5 } from '../../src/kernel/ids.ts'
import { append, newEvent, openStore } from './logFixtures.ts'

const [, , url, appId, from, to] = process.argv as [string, string, string, string, string, string]
const BATCH = 7
const store = await openStore(url)
const counts = { stored: 0, duplicate: 0 }
const starts: number[] = []
for (let start = Number(from); start < Number(to); start += BATCH) starts.push(start)
await Promise.all(
  [0, 1, 2].map(async (lane) => {
    for (let index = lane; index < starts.length; index += 3) {
      const start = starts[index]!
      const ids = Array.from({ length: Math.min(BATCH, Number(to) - start) }, (_, offset) => uuidv5(appId, String(start + offset)))
      for (const { duplicate } of await append(store.log, ids.map((eventId) => newEvent(appId, { eventId })))) counts[duplicate ? 'duplicate' : 'stored']++
    }
  }),
)
await store.close()
process.stdout.write(JSON.stringify(counts))
