// Resident memory: every process of a server and the embedded one, started and at rest, at most under full load, and of a rebuild
// of all read models; beside a bare node:http at rest and under the same load.
// `npx tsx bench/memory.ts [--rounds 3] [--seconds 10]`
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { newApp, type TestApp } from '../test/support/client.ts'
import { freshSqlite } from '../test/support/servers.ts'
import { startBaseline } from './support/baselineServers.ts'
import { benchFlags, Rounds, runBench } from './support/benchRun.ts'
import { startBuilt } from './support/built.ts'
import { forgetPeakMemory, memoryMb } from './support/cpuTime.ts'
import { recount } from './support/recountCommand.ts'
import { median, type Row } from './support/rows.ts'
import { shopLoad } from './support/shopLoad.ts'
import { startStack } from './support/stack.ts'
import { createObserver } from './support/sustained.ts'
import { wrk } from './support/wrk.ts'

const flags = benchFlags({ seconds: { type: 'string' } })
const SECONDS = Number(flags.seconds ?? (flags.quick ? 4 : 10))
/** After the start, for what is only needed then to be collected. */
const REST_MS = flags.quick ? 1_000 : 5_000
const BARE = 'bare node:http'
const PARTS = ['api', 'append', 'project', 'embedded']

interface Part {
  readonly name: string
  readonly pid: number
}

await runBench(flags, async () => {
  const measured = new Rounds()
  for (let round = 0; round < Number(flags.rounds); round++) {
    await server(measured)
    await embedded(measured)
  }
  return [
    ...[...PARTS, 'MariaDB', 'Redis'].flatMap((name) => [row(measured, name, 'at rest'), row(measured, name, 'under load')]),
    { name: 'memory, rebuild of all read models', unit: 'MB', better: 'lower', rounds: measured.of('rebuild'), target: { of: 'value', atMost: 512 }, note: `of ${median(measured.of('rebuilt events')).toLocaleString('en')} events` },
  ]
})

async function server(measured: Rounds): Promise<void> {
  const [bare, stack] = [await startBaseline('bareServer'), await startStack(['append', 'project'])]
  const observer = await createObserver(stack)
  try {
    const parts = [...stack.processes, { name: 'MariaDB', pid: stack.mariadbPid }, { name: 'Redis', pid: stack.redisPid }]
    await loaded(measured, [{ name: BARE, pid: bare.pid }], { ...stack, api: bare })
    await loaded(measured, parts, stack)
    await observer.settled()
    const { result, peakMb } = await recount<{ events: number }>(stack.databaseUrl, ['replay', 'all'])
    measured.add('rebuild', peakMb)
    measured.add('rebuilt events', result.events)
  } finally {
    bare.stop()
    await observer.close()
    await stack.stop()
  }
}

async function embedded(measured: Rounds): Promise<void> {
  const ownerCode = randomBytes(12).toString('hex')
  const api = await startBuilt('all', { DATABASE_URL: freshSqlite(), OWNER_CODE: ownerCode, JWT_SECRET: randomBytes(32).toString('hex') })
  try {
    await loaded(measured, [{ name: 'embedded', pid: api.pid }], { api, app: await newApp(api.url, ownerCode) })
  } finally {
    await api.kill9()
  }
}

async function loaded(measured: Rounds, parts: readonly Part[], target: { api: { url: string }; app: TestApp }): Promise<void> {
  await delay(REST_MS)
  for (const { name, pid } of parts) {
    measured.add(`${name}, at rest`, memoryMb(pid))
    forgetPeakMemory(pid)
  }
  const halves = [1, 100].map((size) => ({ ...shopLoad(target, size), seconds: SECONDS / 2 }))
  for (const load of halves) await wrk(load)
  for (const { name, pid } of parts) measured.add(`${name}, under load`, memoryMb(pid, 'VmHWM'))
}

function row(measured: Rounds, name: string, when: string): Row {
  const isOurs = PARTS.includes(name)
  return {
    name: `memory, ${name}, ${when}`,
    unit: 'MB',
    better: 'lower',
    rounds: measured.of(`${name}, ${when}`),
    ...(isOurs ? { baseline: measured.as(BARE, `${BARE}, ${when}`) } : {}),
    ...(name === 'embedded' && when === 'at rest' ? { target: { of: 'value', atMost: 150 } as const } : {}),
  }
}
