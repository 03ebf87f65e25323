// The check of the fault suite can fail: a run that is as promised passes, and each thing that could go wrong is reported by
// what it is. Without this, "0 lost" would say nothing.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { ACKNOWLEDGED, type AppBooks, INVALID, openBooks, SENT } from './support/ledger.ts'
import { type Findings, type LedgerSums, type Logged, reconcile, type Seen, type SummaryAnswer, type Verification } from './support/reconcile.ts'
import { personOf } from './support/traffic.ts'

interface Run {
  readonly books: AppBooks[]
  readonly log: Logged[]
  ledger: LedgerSums
  answers: SummaryAnswer[]
  verification: Verification
  unwell: string[]
}

const ACKNOWLEDGED_EVENTS = 40

/** One app: 40 events acknowledged, one unacknowledged that made it, one that did not, one sent twice, one invalid. */
function wholeRun(): Run {
  const appId = randomUUID()
  const app = openBooks(appId, 'token', 7, 0)
  const counters = Array.from({ length: ACKNOWLEDGED_EVENTS }, () => app.next(SENT | ACKNOWLEDGED))
  const madeIt = app.next(SENT)
  app.next(SENT)
  app.next(SENT | INVALID)
  Object.assign(app, { attempted: ACKNOWLEDGED_EVENTS + 3, accepted: ACKNOWLEDGED_EVENTS + 1, attemptedInvalid: 1, refused: 1 })
  app.place(counters[3]!, 4)
  const stored = [...counters, madeIt]
  const log = stored.map((counter, index) => ({ partition: 3, position: index + 1, appId, eventId: app.idOf(counter), type: 'EventCollected', recordedAt: 1_000 + Math.floor(index / 2) }))
  const answer = { count: stored.length, uniqueUsers: new Set(stored.map(personOf)).size }
  return {
    books: [app],
    log,
    ledger: { stored: stored.length, duplicate: 1, rejected: 1, recorded: stored.length, quarantined: 1 },
    answers: [answer, answer],
    verification: {
      ok: true,
      partitions: [{ partition: 3, events: log.length }],
      duplicateIds: [],
      readModels: [{ projection: 'eventSummary', differences: [], lagEvents: 0 }],
    },
    unwell: [],
  }
}

async function found(run: Run, heads = new Map([[3, run.log.at(-1)!.position]])): Promise<Findings> {
  const { appId } = run.books[0]!
  const seen: Seen = {
    unwell: run.unwell,
    heads,
    verification: run.verification,
    ledgers: new Map([[appId, run.ledger]]),
    answers: new Map([[appId, run.answers]]),
    async *logged() {
      yield await Promise.resolve(run.log)
    },
  }
  return reconcile(run.books, seen)
}

/** Checked once, because the check marks the books. */
async function says(run: Run, expected: Record<string, RegExp>): Promise<Findings> {
  const findings = await found(run)
  for (const [kind, words] of Object.entries(expected)) {
    const said = findings.problems.some((problem) => problem.startsWith(`${kind}: `) && words.test(problem))
    assert.ok(said, `no "${kind}: ${words.source}" among ${JSON.stringify(findings.problems)}`)
  }
  return findings
}

describe('the check after a run with faults', () => {
  it('finds nothing in a run that is as promised, and counts it', async () => {
    const { problems, totals, duplicates, countedTwice } = await found(wholeRun())
    assert.deepEqual(problems, [])
    assert.deepEqual(totals, { sent: 42, acknowledged: 40, stored: 41, lost: 0, madeIt: 1, invalid: 1 })
    assert.deepEqual({ duplicates, countedTwice }, { duplicates: 1, countedTwice: 0 })
  })

  it('reports an acknowledged event that is not in the log', async () => {
    const run = wholeRun()
    const { eventId } = run.log.pop()!
    const lost = run.log.splice(-1)[0]!
    const findings = await found(run)
    assert.equal(findings.totals.lost, 1)
    assert.ok(findings.problems.some((problem) => problem.startsWith('lost: ') && problem.includes(lost.eventId)))
    assert.ok(!findings.problems.some((problem) => problem.includes(eventId)), 'the unacknowledged one may be missing')
  })

  it('reports an event that is in the log twice', async () => {
    const run = wholeRun()
    run.log.push({ ...run.log[5]!, position: run.log.length + 1 })
    const { countedTwice } = await says(run, { 'stored twice': new RegExp(run.log[5]!.eventId) })
    assert.equal(countedTwice, 1)
  })

  it('reports an event that nobody sent, and one that was to be refused', async () => {
    const run = wholeRun()
    const [app] = run.books as [AppBooks]
    run.log.push({ ...run.log[0]!, position: run.log.length + 1, eventId: randomUUID() })
    run.log.push({ ...run.log[0]!, position: run.log.length + 1, eventId: app.idOf(ACKNOWLEDGED_EVENTS + 2) })
    await says(run, { 'never sent': /position 42/, invalid: /was to be refused/ })
  })

  it('reports a hole in the positions, and a head that is elsewhere', async () => {
    const run = wholeRun()
    run.log.forEach((logged, index) => index >= 10 && run.log.splice(index, 1, { ...logged, position: logged.position + 1 }))
    await says(run, { positions: /goes on with 12 where 11 is due/ })
    const whole = wholeRun()
    const { problems } = await found(whole, new Map([[3, 99]]))
    assert.match(problems.join('\n'), /positions: the head of partition 3 says 99, its last event 41/)
  })

  it('reports time that runs backwards within a partition, and only there', async () => {
    const run = wholeRun()
    run.log.splice(20, 1, { ...run.log[20]!, recordedAt: run.log[19]!.recordedAt - 1 })
    await says(run, { time: /partition 3, position 21 was recorded 1 ms before/ })
    const two = wholeRun()
    const control = { ...two.log[0]!, appId: randomUUID(), eventId: randomUUID(), type: 'AppRegistered', partition: 0, position: 1, recordedAt: 1 }
    two.log.push(control)
    assert.deepEqual((await found(two, new Map([[3, 41], [0, 1]]))).problems, [])
  })

  it('reports a position that is not the one that was answered', async () => {
    const run = wholeRun()
    const [third, fourth] = [run.log[2]!, run.log[3]!]
    run.log.splice(2, 2, { ...fourth, position: 3 }, { ...third, position: 4 })
    await says(run, { position: /stands at 3, and ack=stored answered 4/ })
  })

  it('reports a broken chain, read models that differ or lag, and a verification that compared nothing', async () => {
    const run = wholeRun()
    const [partition] = run.verification.partitions
    run.verification = {
      ok: false,
      partitions: [{ ...partition!, broken: { position: 9, reason: 'events 9 to 12 are not those appended' } }],
      duplicateIds: ['event x is stored more than once'],
      readModels: [{ projection: 'web', differences: ['web_days: 3 and 4'], lagEvents: 5 }],
    }
    await says(run, {
      chain: /position 9/,
      'stored twice': /event x/,
      'read model': /web: web_days: 3 and 4/,
      lag: /5 events behind/,
      verify: /something is wrong/,
    })
    await says(Object.assign(wholeRun(), { verification: { ...wholeRun().verification, readModels: [] } }), { 'read model': /none was compared/ })
  })

  it('reports numbers over HTTP that do not follow from the log', async () => {
    const run = wholeRun()
    const [answer] = run.answers
    run.answers = [answer!, { ...answer!, count: answer!.count + 2 }]
    const { countedTwice } = await says(run, { answers: /43 events are counted, and 41 are in the log/ })
    assert.equal(countedTwice, 2)
    await says(Object.assign(wholeRun(), { answers: [{ ...answer!, uniqueUsers: 1 }] }), { answers: /1 people are counted/ })
    await says(Object.assign(wholeRun(), { answers: [] }), { answers: /nobody answered/ })
  })

  it("reports a ledger that does not reconcile: what is stored, what was sent again, what was refused, and the quarantine's count", async () => {
    const ledger = wholeRun().ledger
    const reports = (wrong: Partial<LedgerSums>, words: RegExp): Promise<Findings> => says(Object.assign(wholeRun(), { ledger: { ...ledger, ...wrong } }), { ledger: words })
    await reports({ stored: 40 }, /40 stored, and 41 are in the log/)
    await reports({ duplicate: 3 }, /stored and duplicate are 44, and 41 were acknowledged of 43 sent/)
    await reports({ stored: 39, duplicate: 1 }, /stored and duplicate are 40/)
    await reports({ rejected: 0, quarantined: 0 }, /0 rejected, and 1 refusals were answered/)
    await reports({ rejected: 2, quarantined: 2 }, /2 rejected/)
    await reports({ recorded: 40 }, /40 recorded, and 41 are in the log/)
    await reports({ quarantined: 0 }, /quarantine counts 0/)
  })

  it('reports processes that are not well', async () => {
    await says(Object.assign(wholeRun(), { unwell: ['api-2 does not run'] }), { unwell: /api-2 does not run/ })
  })

  it('names the first few of many and counts the rest', async () => {
    const run = wholeRun()
    run.log.splice(10, 20)
    const { problems, totals } = await found(run)
    assert.equal(totals.lost, 20)
    assert.equal(problems.filter((problem) => problem.startsWith('lost: ')).length, 6)
    assert.ok(problems.includes('lost: 15 more'))
  })
})
