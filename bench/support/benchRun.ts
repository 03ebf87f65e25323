// What every bench does around its measuring: reads the flags that all of them take, tells its rows, and ends with nothing
// left running however it ends.
import { writeFileSync } from 'node:fs'
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { type Row, tableOf } from './rows.ts'

/** What all benches take, and npm run bench hands on. */
export const COMMON = {
  rounds: { type: 'string', default: '3' },
  quick: { type: 'boolean', default: false },
  json: { type: 'string' },
} as const

type Options = NonNullable<ParseArgsConfig['options']>
export type Flags<O extends Options> = ReturnType<typeof parseArgs<{ options: typeof COMMON & O }>>['values']

/** The command line's flags, the common ones among them; throws on unknown ones. */
export function benchFlags<const O extends Options>(own: O): Flags<O> {
  return parseArgs({ options: { ...COMMON, ...own } }).values
}

/**
 * Runs a bench to its end: its rows as a table on standard output and, where `json` names a file, as JSON in it. Processes
 * and servers that it started end with this process, after a signal too.
 */
export async function runBench(flags: { readonly json?: string | undefined }, measure: () => Promise<readonly Row[]>): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  try {
    const rows = await measure()
    if (flags.json === undefined) console.log(tableOf(rows))
    else writeFileSync(flags.json, JSON.stringify(rows))
    process.exit(0)
  } catch (error) {
    console.error(error)
    process.exit(1)
  }
}

/** The rounds of one contest, each in turns with its baselines, by name; a list of values a round. */
export class Rounds {
  readonly #values = new Map<string, number[]>()

  add(name: string, value: number): void {
    const values = this.#values.get(name)
    if (values === undefined) this.#values.set(name, [value])
    else values.push(value)
  }

  of(name: string): readonly number[] {
    const values = this.#values.get(name)
    if (values === undefined) throw new Error(`nothing was measured of ${name}`)
    return values
  }

  /** As the baseline of a row: `name` is what it is called there. */
  as(name: string, of = name): { name: string; rounds: readonly number[] } {
    return { name, rounds: this.of(of) }
  }
}
