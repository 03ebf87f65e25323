// Two runs side by side: judged by the ratio to the baseline, never from within the spread, and loud about different machines.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BenchRun, compareRuns, comparisonText, hardwareDifferences } from '../../../bench/support/compareRuns.ts'
import type { Hardware } from '../../../bench/support/hardware.ts'
import type { Row } from '../../../bench/support/rows.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const MACHINE: Hardware = { cores: 2, model: 'A processor', memoryGb: 24, os: 'Debian 12', node: 'v20.20.0', mariadb: '10.11.1', redis: '7.0.15', revision: 'aaaaaaa' }

function runOf(rows: readonly Row[], hardware: Partial<Hardware> = {}): BenchRun {
  return { hardware: { ...MACHINE, ...hardware }, load: { before: 0.1, after: 1.9 }, startedAt: '2026-11-22T20:00:00.000Z', seconds: 60, options: { rounds: 3, quick: false }, rows, failed: [] }
}

function row(rounds: readonly number[], more: Partial<Row> = {}): Row {
  return { name: 'collect', unit: 'requests/s', better: 'higher', rounds, ...more }
}

const bare = (rounds: readonly number[], name = 'bare node:http'): { baseline: NonNullable<Row['baseline']> } => ({ baseline: { name, rounds } })
const verdict = (before: Row, after: Row): string => compareRuns(runOf([before]), runOf([after]))[0]!.verdict

describe('comparing two runs of the benches', () => {
  it('goes by the ratio to the baseline: a machine twice as fast makes nothing better', () => {
    const [slow, fast] = [row([100, 101, 99], bare([200, 202, 198])), row([200, 202, 198], bare([400, 404, 396]))]
    const [compared] = compareRuns(runOf([slow]), runOf([fast]))
    assert.equal(compared!.verdict, 'within noise')
    assert.equal(compared!.before, 0.5)
    assert.equal(compared!.after, 0.5)
    assert.match(compared!.by, /ratio to bare node:http/)
  })

  it('pairs each round with the baseline of that round', () => {
    // The machine slowed down in the second round for both: their ratio did not.
    const before = row([100, 50, 100], bare([200, 100, 200]))
    const after = row([120, 60, 120], bare([200, 100, 200]))
    assert.equal(verdict(before, after), 'better')
  })

  it('is better or worse where the rounds of the two do not overlap, by what is better for the row', () => {
    assert.equal(verdict(row([100, 101, 99]), row([120, 121, 119])), 'better')
    assert.equal(verdict(row([120, 121, 119]), row([100, 101, 99])), 'worse')
    assert.equal(verdict(row([100, 101, 99], { better: 'lower' }), row([120, 121, 119], { better: 'lower' })), 'worse')
  })

  it('is within noise where they overlap, however far the medians are apart', () => {
    assert.equal(verdict(row([100, 140, 99]), row([130, 131, 129])), 'within noise')
  })

  it('takes a difference below 3 % for none, however close the rounds were', () => {
    assert.equal(verdict(row([100, 100, 100]), row([102, 102, 102])), 'within noise')
    assert.equal(verdict(row([100, 100, 100]), row([104, 104, 104])), 'better')
  })

  it('takes single rounds for as uncertain as they are', () => {
    assert.equal(verdict(row([100]), row([120])), 'within noise')
    assert.equal(verdict(row([100]), row([150])), 'better')
  })

  it('says what is in one of them alone', () => {
    const compared = compareRuns(runOf([row([1, 1, 1]), row([1, 1, 1], { name: 'gone' })]), runOf([row([1, 1, 1], { name: 'new' }), row([1, 1, 1])]))
    assert.deepEqual(
      compared.map(({ name, verdict: said, by }) => [name, said, by]),
      [
        ['collect', 'within noise', 'requests/s'],
        ['gone', 'cannot be compared', 'only in the first'],
        ['new', 'cannot be compared', 'only in the second'],
      ],
    )
  })

  it('compares nothing whose units, direction or rounds differ', () => {
    const compared = compareRuns(runOf([row([1, 1, 1])]), runOf([row([1, 1, 1], { unit: 'ms' })]))
    assert.deepEqual(compared[0], { name: 'collect', verdict: 'cannot be compared', by: 'units differ: requests/s and ms' })
    assert.equal(verdict(row([1]), row([1], { better: 'lower' })), 'cannot be compared')
    assert.equal(verdict(row([1, 2], bare([1, 2])), row([1, 2], bare([1]))), 'cannot be compared')
    assert.equal(verdict(row([1]), row([])), 'cannot be compared')
  })

  it('goes by the value where the baselines are of different things, and says so', () => {
    const [compared] = compareRuns(runOf([row([100, 100, 100], bare([1, 1, 1]))]), runOf([row([100, 100, 100], bare([9, 9, 9], 'Express'))]))
    assert.equal(compared!.verdict, 'within noise')
    assert.match(compared!.by, /baselines differ/)
  })

  it('lets the worst round speak where a bound is promised', () => {
    const [compared] = compareRuns(runOf([row([1, 2, 9], { better: 'lower', speaks: 'worst' })]), runOf([row([1, 2, 30], { better: 'lower', speaks: 'worst' })]))
    assert.equal(compared!.before, 9)
    assert.equal(compared!.after, 30)
  })

  it('names what differs of two machines, but not the revision', () => {
    assert.deepEqual(hardwareDifferences(MACHINE, { ...MACHINE, revision: 'bbbbbbb' }), [])
    assert.deepEqual(hardwareDifferences(MACHINE, { ...MACHINE, cores: 8, node: 'v22.0.0' }), ['cores: 2 and 8', 'node: v20.20.0 and v22.0.0'])
    assert.match(comparisonText(runOf([]), runOf([], { cores: 8 })), /^!!! DIFFERENT HARDWARE.*cores: 2 and 8/m)
    assert.doesNotMatch(comparisonText(runOf([]), runOf([])), /!!!/)
  })

  it('is what `npm run bench -- --compare` prints', function () {
    this.timeout(60_000)
    const directory = scratchDirectory('compare')
    const files = [runOf([row([100, 101, 99])]), runOf([row([120, 121, 119])])].map((run, index) => {
      const file = join(directory, `${index}.json`)
      writeFileSync(file, JSON.stringify(run))
      return file
    })
    const out = execFileSync(process.execPath, ['scripts/bench.js', '--compare', ...files], { cwd: join(import.meta.dirname, '../../..'), encoding: 'utf8' })
    assert.match(out, /\| collect \| better +\| 100 +\| 120 +\| \+20\.0 % \|/)
  })
})
