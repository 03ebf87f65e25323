// recount ledger
import { Command } from 'commander'
import { readConfig } from '../../config.ts'
import { EXIT, type SetExit } from '../exitCodes.ts'

const HELP = `
What became of everything that was received, app by app. received = accepted + rejected - released; accepted = stored +
duplicates + in flight; recorded = projected + behind + dead. Times are ISO 8601, without offset in UTC; all of history unless
--from or --to are given. Works beside a running server and changes nothing. Fails where something does not agree.
Examples:
  recount ledger
  recount ledger --app Site --from 2026-11-01
  recount ledger --json`

export interface LedgerFlags {
  readonly app?: string
  readonly from?: string
  readonly to?: string
  readonly json?: true
}

export function ledgerCommand(setExit: SetExit): Command {
  return new Command('ledger')
    .description('Say what became of everything that was received, app by app.')
    .option('--app <id|name>', 'this app alone')
    .option('--from <time>', 'what was received from then on')
    .option('--to <time>', 'what was received before')
    .option('--json', 'print the result as JSON, hour by hour')
    .addHelpText('after', HELP)
    .action(async (flags: LedgerFlags) => {
      const { runLedger } = await import('../runLedger.ts')
      if (!(await runLedger(readConfig(), flags))) setExit(EXIT.failed)
    })
}
