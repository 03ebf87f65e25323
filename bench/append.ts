// From HTTP to committed, batches of 100: events per second between the first request and the commit of the last event,
// with API and append worker in processes of their own.
import mysql from 'mysql2/promise'
import { cpuMs } from './support/cpuTime.ts'
import { startStack } from './support/stack.ts'
import { wrk } from './support/wrk.ts'

const SECONDS = Number(process.argv[2] ?? 10)
const event = (n: number): Record<string, unknown> => ({
  event: 'pageview',
  url: `https://example.com/page/${n}`,
  anonymousId: `visitor-${n % 37}`,
  title: 'A page of the shop',
  language: 'en-GB',
  metadata: { position: n, plan: 'team' },
})
const stack = await startStack(['append'])
const processes = [...stack.processes, { name: 'MariaDB', pid: stack.mariadbPid }, { name: 'Redis', pid: stack.redisPid }]
const database = await mysql.createConnection(stack.databaseUrl)
const committed = async (): Promise<number> => {
  const [rows] = await database.query('SELECT COALESCE(SUM(position), 0) AS n FROM heads WHERE `partition` > 0')
  return Number((rows as { n: string }[])[0]!.n)
}
try {
  const body = JSON.stringify(Array.from({ length: 100 }, (_, n) => event(n)))
  const load = { url: `${stack.api.url}/collect`, token: stack.app.token, body, connections: 16 }
  await wrk({ ...load, seconds: 2 })
  await caughtUp(await committed())
  const before = await committed()
  const spent = processes.map(({ name, pid }) => ({ name, pid, ms: cpuMs(pid) }))
  const started = performance.now()
  const { perSecond, p99Ms, errors } = await wrk({ ...load, seconds: SECONDS })
  const during = await committed()
  const duringSeconds = (performance.now() - started) / 1_000
  const after = await caughtUp(during)
  const seconds = (performance.now() - started) / 1_000
  const costs = spent.map(({ name, pid, ms }) => `${name} ${(((cpuMs(pid) - ms) * 1_000) / (after - before)).toFixed(1)}`)
  console.log(`processor time an event: ${costs.join(', ')} µs`)
  console.log(`accepted ${perSecond * 100} events/s, p99 of a batch ${p99Ms} ms, ${errors} errors`)
  console.log(`committed under load ${Math.round((during - before) / duringSeconds)} events/s; until all was committed ${Math.round((after - before) / seconds)} events/s (target 25,000)`)
} finally {
  await database.end()
  await stack.stop()
}

/** Waits until the number of committed events stands still. */
async function caughtUp(last: number): Promise<number> {
  for (let still = 0, seen = last; ; ) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    const now = await committed()
    if (now !== seen) still = 0
    else if (++still === 10) return now
    seen = now
  }
}
