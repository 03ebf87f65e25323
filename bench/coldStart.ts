// From the start of the process to ready, and to the first event it has taken: embedded and as a server, on stores that hold
// an app and a key already, and embedded on none at all; beside a bare node:http that listens.
// `npx tsx bench/coldStart.ts [--rounds 3]`
import { randomBytes } from 'node:crypto'
import { newApp, send, type TestApp } from '../test/support/client.ts'
import { freshDatabase, freshSqlite, startMariadb, startRedis } from '../test/support/servers.ts'
import { startBare } from './support/baselineServers.ts'
import { benchFlags, Rounds, runBench } from './support/benchRun.ts'
import { startBuilt } from './support/built.ts'
import type { Row } from './support/rows.ts'

const flags = benchFlags({})
const BARE = 'bare node:http listens'

await runBench(flags, async () => {
  const [mariadb, redis] = [await startMariadb(), await startRedis()]
  const ownerCode = randomBytes(12).toString('hex')
  const env = { OWNER_CODE: ownerCode, JWT_SECRET: randomBytes(32).toString('hex') }
  const stores = {
    embedded: { ...env, DATABASE_URL: freshSqlite() },
    server: { ...env, DATABASE_URL: await freshDatabase(mariadb), REDIS_URL: redis.url },
  }
  const measured = new Rounds()

  async function start(name: string, own: Record<string, string>, app?: TestApp): Promise<void> {
    const started = performance.now()
    const running = await startBuilt('all', own)
    measured.add(`${name}, ready`, performance.now() - started)
    try {
      if (app === undefined) return
      const { status } = await send('POST', `${running.url}/collect`, { token: app.token, body: { event: 'pageview', url: 'https://example.com/' } })
      if (status !== 202) throw new Error(`the first event was answered ${status}`)
      measured.add(`${name}, first answer`, performance.now() - started)
    } finally {
      await running.stop()
    }
  }

  try {
    const apps = new Map<string, TestApp>()
    for (const [name, own] of Object.entries(stores)) {
      const first = await startBuilt('all', own)
      apps.set(name, await newApp(first.url, ownerCode))
      await first.stop()
    }
    for (let round = 0; round < Number(flags.rounds); round++) {
      measured.add(BARE, await startBare())
      await start('embedded, empty store', { ...env, DATABASE_URL: freshSqlite() })
      for (const [name, own] of Object.entries(stores)) await start(name, own, apps.get(name))
    }
  } finally {
    await Promise.all([mariadb.kill9(), redis.kill9()])
  }
  const row = (name: string): Row => ({ name: `cold start, ${name}`, unit: 'ms', better: 'lower', rounds: measured.of(name), baseline: measured.as(BARE) })
  return ['embedded, empty store, ready', 'embedded, ready', 'embedded, first answer', 'server, ready', 'server, first answer'].map(row)
})
