// The benches of the one command, in order. What each takes in full is its own default; what is here keeps the whole under
// an hour with five rounds, and under six minutes with --quick.

export interface Bench {
  readonly name: string
  readonly file: string
  readonly args?: readonly string[]
  /** Instead of those of the run: rows whose rounds are long or say nothing more when repeated. */
  readonly roundsAtMost?: number
}

export const BENCHES: readonly Bench[] = [
  { name: 'collect', file: 'collect.ts' },
  { name: 'log', file: 'log.ts' },
  { name: 'append', file: 'append.ts' },
  { name: 'visible', file: 'visible.ts', roundsAtMost: 3 },
  { name: 'embedded', file: 'embedded.ts' },
  { name: 'replay', file: 'replay.ts' },
  { name: 'query', file: 'query.ts', args: ['--events', '300000'] },
  { name: 'web', file: 'query.ts', args: ['--web'], roundsAtMost: 3 },
  { name: 'verify', file: 'verify.ts' },
  { name: 'revocation', file: 'revocation.ts', args: ['--only', 'key, all there'] },
  { name: 'coldStart', file: 'coldStart.ts' },
  { name: 'memory', file: 'memory.ts', roundsAtMost: 2 },
  { name: 'disk', file: 'diskSize.ts', roundsAtMost: 1 },
]

/** Sizes of a quick run are the benches' own. */
export function argsOf({ args = [], roundsAtMost = Infinity }: Bench, { rounds, quick }: { readonly rounds: number; readonly quick: boolean }): string[] {
  return ['--rounds', String(Math.min(rounds, roundsAtMost)), ...(quick ? ['--quick', ...withoutSizes(args)] : args)]
}

function withoutSizes(args: readonly string[]): string[] {
  const at = args.indexOf('--events')
  return at === -1 ? [...args] : [...args.slice(0, at), ...args.slice(at + 2)]
}
