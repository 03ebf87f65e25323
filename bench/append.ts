// From HTTP to committed, with API and append worker in processes of their own and nobody folding: events a second that are in
// the log, beside raw multi-row INSERTs of such rows into the same database, in turns; what each process spends on an event.
// `npx tsx bench/append.ts [--rounds 3] [--seconds 8]`
import { mysqlBaseline } from './logBaselines.ts'
import { newEvents } from './logEvents.ts'
import { benchFlags, Rounds, runBench } from './support/benchRun.ts'
import { cpuMs } from './support/cpuTime.ts'
import { median, type Row } from './support/rows.ts'
import { type Stack, startStack } from './support/stack.ts'
import { createObserver } from './support/sustained.ts'
import { shopLoad } from './support/shopLoad.ts'
import { refuseFailures, wrk } from './support/wrk.ts'
import { uuidv7 } from '../src/kernel/ids.ts'

const flags = benchFlags({ seconds: { type: 'string' } })
const SECONDS = Number(flags.seconds ?? (flags.quick ? 3 : 8))
const RAW = 'raw multi-row INSERT'

await runBench(flags, async () => {
  const stack = await startStack(['append'])
  const observer = await createObserver(stack, { readModels: false })
  const raw = await mysqlBaseline(stack.databaseUrl)
  const measured = new Rounds()
  const app = [uuidv7()]
  let position = 1

  /** Rows as large as those of the load, 1,000 a statement, on one connection. */
  async function insert(): Promise<number> {
    let events = 0
    const started = performance.now()
    while (performance.now() - started < (SECONDS * 1_000) / 2) {
      await raw.insert(1, position, newEvents(app, 1_000))
      position += 1_000
      events += 1_000
    }
    return events / ((performance.now() - started) / 1_000)
  }

  async function round(size: number): Promise<void> {
    const name = size === 1 ? 'singles' : `batches of ${size}`
    await observer.settled()
    const [before, spent, started] = [await observer.committed(), costs(stack), performance.now()]
    const load = await wrk({ ...shopLoad(stack, size), seconds: SECONDS })
    const [during, seconds] = [(await observer.committed()) - before, (performance.now() - started) / 1_000]
    await observer.settled()
    refuseFailures(load)
    const all = (await observer.committed()) - before
    measured.add(name, during / seconds)
    measured.add(`${name}, p99`, load.p99Ms)
    for (const { name: who, ms } of costs(stack)) measured.add(`${name}, ${who}`, ((ms - spent.find((each) => each.name === who)!.ms) * 1_000) / all)
  }

  try {
    await wrk({ ...shopLoad(stack, 100), seconds: 2 })
    for (let at = 0; at < Number(flags.rounds); at++) {
      measured.add(RAW, await insert())
      await round(1)
      await round(100)
    }
  } finally {
    await raw.close()
    await observer.close()
    await stack.stop()
  }
  return ['singles', 'batches of 100'].map((name) => row(measured, name))
})

function row(measured: Rounds, name: string): Row {
  const each = ['api', 'append', 'MariaDB', 'Redis'].map((who) => `${who} ${median(measured.of(`${name}, ${who}`)).toFixed(1)}`)
  const note = `µs of processor time an event: ${each.join(', ')}; p99 of a request ${median(measured.of(`${name}, p99`)).toFixed(0)} ms`
  return { name: `HTTP to committed, ${name}`, unit: 'events/s', better: 'higher', rounds: measured.of(name), baseline: measured.as(RAW), note }
}

function costs({ processes, mariadbPid, redisPid }: Stack): { name: string; ms: number }[] {
  return [...processes, { name: 'MariaDB', pid: mariadbPid }, { name: 'Redis', pid: redisPid }].map(({ name, pid }) => ({ name, ms: cpuMs(pid) }))
}
