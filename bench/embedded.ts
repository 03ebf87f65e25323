// Embedded mode, one process on SQLite, everything in it: singles answered after the commit, beside bare node:http.
// `npx tsx bench/embedded.ts [--rounds 3] [--seconds 5]`
import { randomBytes } from 'node:crypto'
import { newApp } from '../test/support/client.ts'
import { freshSqlite } from '../test/support/servers.ts'
import { startBaseline } from './support/baselineServers.ts'
import { benchFlags, Rounds, runBench } from './support/benchRun.ts'
import { startBuilt } from './support/built.ts'
import { median } from './support/rows.ts'
import { shopLoad } from './support/shopLoad.ts'
import { refuseFailures, wrk } from './support/wrk.ts'

const flags = benchFlags({ seconds: { type: 'string' } })
const SECONDS = Number(flags.seconds ?? (flags.quick ? 3 : 5))
const BARE = 'bare node:http'

await runBench(flags, async () => {
  const bare = await startBaseline('bareServer')
  const ownerCode = randomBytes(12).toString('hex')
  const api = await startBuilt('all', { DATABASE_URL: freshSqlite(), OWNER_CODE: ownerCode, JWT_SECRET: randomBytes(32).toString('hex') })
  const measured = new Rounds()
  try {
    const stack = { api, app: await newApp(api.url, ownerCode) }
    const load = { ...shopLoad(stack, 1), seconds: SECONDS }
    const batch = { ...shopLoad(stack, 100), seconds: SECONDS }
    const bareUrl = `${bare.url}/collect`
    for (const url of [bareUrl, load.url]) await wrk({ ...load, url, seconds: 2 })
    for (let round = 0; round < Number(flags.rounds); round++) {
      measured.add(BARE, (await wrk({ ...load, url: bareUrl })).perSecond)
      const own = await wrk(load)
      measured.add('embedded', own.perSecond)
      measured.add('p99', own.p99Ms)
      measured.add(`${BARE} 100`, (await wrk({ ...batch, url: bareUrl })).perSecond * 100)
      const batched = await wrk(batch)
      measured.add('embedded 100', batched.perSecond * 100)
      refuseFailures(own, batched)
    }
  } finally {
    await api.kill9()
  }
  const rate = { unit: 'events/s', better: 'higher' } as const
  return [
    { name: 'embedded, singles, after the commit', ...rate, rounds: measured.of('embedded'), baseline: measured.as(BARE), target: { of: 'value', atLeast: 30_000 }, note: `p99 ${median(measured.of('p99')).toFixed(0)} ms` },
    { name: 'embedded, batches of 100, after the commit', ...rate, rounds: measured.of('embedded 100'), baseline: measured.as(BARE, `${BARE} 100`) },
  ]
})
