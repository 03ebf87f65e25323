// recount bench
import { Command } from 'commander'
import { UsageError } from '../exitCodes.ts'

const HELP = `
Runs in a new directory that it deletes again; the stores of the configuration are not touched. For the benchmarks behind the
published numbers, which need MariaDB and Redis, see bench/README.md.
Examples:
  recount bench
  recount bench --events 200000 --json`

export function benchCommand(): Command {
  return new Command('bench')
    .description('Measure this machine: events collected, stored and counted per second on a throw-away embedded store.')
    .option('--events <number>', 'how many events, up to 2000000', '50000')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', HELP)
    .action(async (options: { events: string; json?: boolean }) => {
      const events = Number(options.events)
      if (!/^\d+$/.test(options.events) || events < 1 || events > 2_000_000) throw new UsageError('--events takes a number from 1 to 2000000')
      const { runBench } = await import('../runBench.ts')
      await runBench({ events, json: options.json === true })
    })
}
