// `npm run bench`: every bench one after the other, each in a process of its own with stores of its own, one table at the end
// and the whole as JSON. Also where two runs are compared and where the long run begins.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { BENCHES } from './support/benches.ts'
import { type BenchRun, comparisonText } from './support/compareRuns.ts'
import { runAll, runProgram } from './support/runAll.ts'

const HELP = `npm run bench -- [options]
  --quick              one round of small sizes, in minutes: to see that all is sane, not to quote
  --rounds N           rounds of each row (5; 1 with --quick)
  --only a,b           these benches alone: ${BENCHES.map(({ name }) => name).join(', ')}
  --json FILE          where the result goes (bench/results/<time>.json)
  --compare A B        compare two results instead of measuring
  --long-run           the long run instead: [--minutes 30] [--share 0.7]
  --peers              Recount in the shape that peers were measured in: [--events 1000000]`

const { values, positionals } = orRefuse(() => parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    json: { type: 'string' },
    compare: { type: 'boolean', default: false },
    'long-run': { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    minutes: { type: 'string' },
    share: { type: 'string' },
    events: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
}))

const given = (names: readonly ('minutes' | 'share' | 'events' | 'rounds' | 'json')[]): string[] =>
  names.flatMap((name) => (values[name] === undefined ? [] : [`--${name}`, values[name]]))
const quick = values.quick ? ['--quick'] : []

if (values.help) console.log(HELP)
else if (values.compare) {
  const [first, second] = positionals
  if (first === undefined || second === undefined) refuse('--compare takes two results: npm run bench -- --compare a.json b.json')
  console.log(comparisonText(readRun(first), readRun(second)))
} else if (values['long-run']) process.exitCode = await runProgram('longRun.ts', [...given(['minutes', 'share', 'json']), ...quick])
else if (values.peers) process.exitCode = await runProgram('peers.ts', [...given(['events', 'rounds', 'json']), ...quick])
else {
  const only = values.only?.split(',')
  const unknown = only?.find((name) => !BENCHES.some((bench) => bench.name === name))
  if (unknown !== undefined) refuse(`There is no bench ${unknown}; there are ${BENCHES.map(({ name }) => name).join(', ')}`)
  const misplaced = (['minutes', 'share', 'events'] as const).find((name) => values[name] !== undefined)
  if (misplaced !== undefined) refuse(`--${misplaced} goes with ${misplaced === 'events' ? '--peers' : '--long-run'}`)
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5))
  if (!Number.isInteger(rounds) || rounds < 1) refuse(`--rounds ${values.rounds}: how many, 1 or more`)
  const failed = await runAll({ rounds, quick: values.quick, only, json: values.json })
  process.exitCode = failed ? 1 : 0
}

function readRun(path: string): BenchRun {
  const run = orRefuse(() => JSON.parse(readFileSync(path, 'utf8')) as Partial<BenchRun> | null, `${path}: `)
  if (!Array.isArray(run?.rows) || run.hardware === undefined) refuse(`${path} is not the result of a run`)
  return run as BenchRun
}

/** What was asked wrongly is told in a line: a stack would say nothing about it. */
function orRefuse<T>(ask: () => T, before = ''): T {
  try {
    return ask()
  } catch (error) {
    return refuse(`${before}${(error as Error).message}`)
  }
}

function refuse(words: string): never {
  process.stderr.write(`${words}\n(npm run bench -- --help)\n`)
  process.exit(2)
}
