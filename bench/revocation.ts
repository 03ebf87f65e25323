// From the answer to a revocation to the start of the last request that any of four API processes still accepted, under load:
// with all stores there and with each of them away; and the same of a sign-out, a member's removal, an app's deletion, a rotation
// and an expiry. `npx tsx bench/revocation.ts [--revocations 20] [--only "key, all there"]`
import { type AccessLoad, isAccepted, lastAccepted, startAccessLoad } from '../test/support/accessLoad.ts'
import { type AccessStack, API_PROCESSES, startAccessStack } from '../test/support/accessStack.ts'
import { eventually } from '../test/support/eventually.ts'
import { benchFlags, runBench } from './support/benchRun.ts'
import { startBuilt } from './support/built.ts'
import type { Row } from './support/rows.ts'
import { CONDITIONS, type Condition, WITHDRAWALS, type Withdrawal } from './support/withdrawals.ts'

const flags = benchFlags({ revocations: { type: 'string' }, only: { type: 'string' } })
/** Of each kind; a row has the later of each process and revocation as its rounds, whatever --rounds says. */
const REVOCATIONS = Number(flags.revocations ?? (flags.quick ? 3 : 20))
const ONLY = flags.only ?? (flags.quick ? 'key, all there' : undefined)
/** How long after the answer somebody looks; the bound is a second. */
const LOOK_MS = 1_500

interface Measured {
  readonly callMs: number[]
  /** Of each process and round. */
  readonly lastMs: number[]
  readonly requests: number[]
}

async function measure(stack: AccessStack, load: AccessLoad, withdrawal: Withdrawal, condition: Condition): Promise<Measured> {
  const measured: Measured = { callMs: [], lastMs: [], requests: [] }
  for (let round = 0; round < REVOCATIONS; round++) {
    const { asking, withdraw } = await withdrawal.prepare(stack)
    load.ask(asking)
    await eventually(() => stack.urls.every((_, process) => load.sent().filter((each) => each.process === process && isAccepted(each)).length >= 3), { timeoutMs: 30_000 })
    await condition.before?.(stack)
    const begun = performance.now()
    const answered = await withdraw()
    measured.callMs.push(performance.now() - begun)
    await condition.after?.(stack)
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, answered + LOOK_MS - performance.now())))
    const sent = load.sent()
    measured.lastMs.push(...lastAccepted(sent, API_PROCESSES, answered))
    measured.requests.push(...stack.urls.map((_, process) => sent.filter((each) => each.process === process && each.at >= answered && each.at < answered + 1_000).length))
    await condition.mend?.(stack)
    await stack.healthy()
  }
  return measured
}

function spread(values: readonly number[]): string {
  const sorted = [...values].sort((left, right) => left - right)
  const at = (share: number): string => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!.toFixed(0)
  return `${at(0)} · ${at(0.5)} · ${at(0.99)} · ${at(1)}`
}

await runBench(flags, async () => {
  const stack = await startAccessStack(startBuilt)
  const load = startAccessLoad(stack.urls, { maxMs: 3_600_000 })
  const rows: Row[] = []
  try {
    for (const withdrawal of WITHDRAWALS) {
      for (const condition of CONDITIONS.filter((each) => withdrawal.everywhere === true || each.name === 'all there')) {
        const name = `${withdrawal.name}, ${condition.name}`
        if (ONLY !== undefined && ONLY !== name) continue
        const { callMs, lastMs, requests } = await measure(stack, load, withdrawal, condition)
        const note = `the call ${spread(callMs)}; of all processes ${spread(lastMs)} (min · median · p99 · max); ${spread(requests)} requests of each in that second`
        rows.push({ name: `revocation: ${name}`, unit: 'ms', better: 'lower', rounds: worstOfEach(lastMs), speaks: 'worst', target: { of: 'value', atMost: 1_000 }, note })
      }
    }
    return rows
  } finally {
    await load.stop()
    await stack.stop()
  }
})

/** Of the processes, by revocation. */
function worstOfEach(lastMs: readonly number[]): number[] {
  return Array.from({ length: lastMs.length / API_PROCESSES }, (_, at) => Math.max(...lastMs.slice(at * API_PROCESSES, (at + 1) * API_PROCESSES)))
}
