// How long a filtered breakdown takes that is counted from the log, over HTTP from a whole stack, how much memory the API takes
// for it, and what it does to /collect meanwhile: the same modest load without and with an answer at work, in turns.
// `npx tsx bench/fromLog.ts [--events 1100000] [--visitors 50000] [--asks 5] [--rate 500]`
import { parseArgs } from 'node:util'
import { openEventLog } from '../src/events/openEventLog.ts'
import { openDatabase } from '../src/kernel/database/open.ts'
import { LIMITS } from '../src/limits.ts'
import { send } from '../test/support/client.ts'
import { seedMonth } from './seed.ts'
import { cpuMs, forgetPeakMemory, memoryMb } from './support/cpuTime.ts'
import { recount } from './support/recountCommand.ts'
import { startStack } from './support/stack.ts'
import { type Measured, wrk } from './support/wrk.ts'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1100000' },
    visitors: { type: 'string', default: '50000' },
    asks: { type: 'string', default: '5' },
    rate: { type: 'string', default: '500' },
  },
})
const LOAD_SECONDS = 5
const stack = await startStack(['append'])
const { app, api, databaseUrl } = stack
const body = JSON.stringify({ event: 'pageview', url: 'https://example.com/articles/1', anonymousId: 'visitor-1' })
const load = { url: `${api.url}/collect`, token: app.token, body, connections: 8, rate: Number(values.rate) }

try {
  const { fromMs, toMs } = await seeded()
  await stack.start('project')
  // What was asked before is kept; each ask filters by something else.
  const ask = async (filter: string): Promise<{ seconds: number; cpuSeconds: number; body: Record<string, unknown> }> => {
    const query = new URLSearchParams({ appId: app.appId, dimension: 'page', filter, from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() })
    const [started, spent] = [performance.now(), cpuMs(api.pid)]
    const answer = await send('GET', `${api.url}/analytics/breakdown?${query.toString()}`, { token: app.userToken })
    if (answer.status !== 200 || answer.body['from'] !== 'log') throw new Error(`${answer.status}: ${JSON.stringify(answer.body).slice(0, 300)}`)
    return { seconds: (performance.now() - started) / 1_000, cpuSeconds: (cpuMs(api.pid) - spent) / 1_000, body: answer.body }
  }

  const idleMb = memory()
  forgetPeakMemory(api.pid)
  for (let at = 0; at < Number(values.asks); at++) {
    const { seconds, cpuSeconds, body: answer } = await ask(`country is DE or metadata.plan is team and page is not /${at}`)
    console.log(`${String(answer['total'])} of ${values.events} events by page: ${seconds.toFixed(2)} s, ${cpuSeconds.toFixed(2)} s of the API's processor time`)
  }
  console.log(`memory of the API: ${idleMb} MB before, at most ${memory('VmHWM')} MB during, ${memory()} MB after`)

  for (let round = 1; round <= 2; round++) {
    const without = await wrk({ ...load, seconds: LOAD_SECONDS })
    const loaded = new AbortController()
    let answers = 0
    const answering = (async () => {
      for (; !loaded.signal.aborted; answers++) await ask(`country is DE and page is not /${round}/${answers}`)
    })()
    const beside = await wrk({ ...load, seconds: LOAD_SECONDS })
    loaded.abort()
    await answering
    console.log(`/collect without ${told(without)}; beside ${answers} answers ${told(beside)}`)
  }
} finally {
  await stack.stop()
}
process.exit(0)

function told({ perSecond, p50Ms, p99Ms, errors }: Measured): string {
  return `${perSecond}/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms, ${errors} errors`
}

/** The app's events, and the read model by which the question is asked up to them. */
async function seeded(): Promise<{ fromMs: number; toMs: number }> {
  const database = await openDatabase(databaseUrl)
  const log = await openEventLog(database, { url: databaseUrl, partitions: LIMITS.partitionsDefault })
  const bounds = await seedMonth(log, Number(values.events), Number(values.visitors), { days: 360, site: true, appId: app.appId })
  await log.close()
  await database.close()
  await recount<unknown>(databaseUrl, ['replay', 'web'])
  return bounds
}

/** Of the API, in megabytes. */
function memory(line: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
  return Math.round(memoryMb(api.pid, line))
}
