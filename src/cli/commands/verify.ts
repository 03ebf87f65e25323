// recount verify
import { Command } from 'commander'
import { readConfig } from '../../config.ts'
import { EXIT, type SetExit } from '../exitCodes.ts'

const HELP = `
Checks that positions are dense, event ids unique, the append chain unbroken and every event as it was sealed, and that each
read model equals a fresh fold of the log. Works beside a running server and changes nothing. Erased events are counted.
With --heads also that the log still passes through what recount heads printed earlier: a file of one or many such lines.
Examples:
  recount verify
  recount verify --log-only --heads published-heads.txt
  recount verify --log-only --json`

export function verifyCommand(setExit: SetExit): Command {
  return new Command('verify')
    .description('Prove that the log is whole and that the read models are what it says.')
    .option('--log-only', 'leave out the read models')
    .option('--heads <file>', 'prove also that history up to these published heads was not rewritten')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', HELP)
    .action(async (options: { logOnly?: boolean; heads?: string; json?: boolean }) => {
      const { runVerify } = await import('../runVerify.ts')
      const ok = await runVerify(readConfig(), { logOnly: options.logOnly === true, heads: options.heads, json: options.json === true })
      if (!ok) setExit(EXIT.failed)
    })
}
