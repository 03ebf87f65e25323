// recount replay
import { Argument, Command } from 'commander'
import { readConfig } from '../../config.ts'
import { PROJECTIONS } from '../../projections/all.ts'

const HELP = `
The new build stands beside the live one until it has caught up; readers see the old numbers, then the new ones. Interrupted
(Ctrl-C, kill, crash) it leaves the live build as it is; run again it goes on where it stopped.
Examples:
  recount replay eventSummary
  recount replay userStats --app 0197…`

export function replayCommand(): Command {
  return new Command('replay')
    .description('Rebuild a read model from the log, beside the live one, and switch when it has caught up.')
    .addArgument(new Argument('<projection>', PROJECTIONS.map(({ name }) => name).join(', ')))
    .option('--app <id|name>', 'rebuild the rows of this app alone')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', HELP)
    .action(async (projection: string, options: { app?: string; json?: boolean }) => {
      const { runReplay } = await import('../runReplay.ts')
      await runReplay(readConfig(), { projection, app: options.app, json: options.json === true })
    })
}
