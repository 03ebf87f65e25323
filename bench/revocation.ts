// From the answer to a revocation to the start of the last request that any of four API processes still accepted, under load:
// with all stores there and with each of them away; and the same of a sign-out, a member's removal, an app's deletion, a rotation
// and an expiry. `npx tsx bench/revocation.ts [--rounds 20] [--only "key, healthy"]`
import { parseArgs } from 'node:util'
import { type AccessLoad, isAccepted, lastAccepted, startAccessLoad } from '../test/support/accessLoad.ts'
import { type AccessStack, API_PROCESSES, startAccessStack } from '../test/support/accessStack.ts'
import { eventually } from '../test/support/eventually.ts'
import { startBuilt } from './support/built.ts'
import { CONDITIONS, type Condition, WITHDRAWALS, type Withdrawal } from './support/withdrawals.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' }, only: { type: 'string' } } })
const ROUNDS = Number(values.rounds)
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
  for (let round = 0; round < ROUNDS; round++) {
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

const stack = await startAccessStack(startBuilt)
const load = startAccessLoad(stack.urls, { maxMs: 3_600_000 })
console.log(`${ROUNDS} rounds each; milliseconds: min · median · p99 · max`)
console.log('| taken away | stores | the call | last accepted, after its answer | requests in that second, each process |')
console.log('|---|---|---|---|---|')
try {
  for (const withdrawal of WITHDRAWALS) {
    for (const condition of CONDITIONS.filter((each) => withdrawal.everywhere === true || each.name === 'all there')) {
      if (values.only !== undefined && values.only !== `${withdrawal.name}, ${condition.name}`) continue
      const { callMs, lastMs, requests } = await measure(stack, load, withdrawal, condition)
      console.log(`| ${withdrawal.name} | ${condition.name} | ${spread(callMs)} | **${spread(lastMs)}** | ${spread(requests)} |`)
    }
  }
} finally {
  await load.stop()
  await stack.stop()
}
