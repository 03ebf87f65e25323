// recount export
import { Command } from 'commander'
import { readConfig } from '../../config.ts'
import { UsageError } from '../exitCodes.ts'

const HELP = `
One line of JSON per stored event, up to the moment the export starts, with its stored bytes unchanged. An app's export begins
with its registration and settings, so it can be imported into an empty store; keys and accounts are only in --all.
Examples:
  recount export --app 0197… > events.jsonl
  recount export --app 'My site' --out events.jsonl.gz
  recount export --all --out backup.jsonl.gz
  recount import backup.jsonl.gz --format jsonl       puts everything back, under the same ids`

export function exportCommand(): Command {
  return new Command('export')
    .description('Write the events of an app, or of all, as JSON lines that `recount import` takes back without loss.')
    .option('--app <id|name>', 'the app')
    .option('--all', 'everything: all apps, keys and accounts')
    .option('--out <file>', 'where to write (packed if it ends in .gz); standard output unless given')
    .addHelpText('after', HELP)
    .action(async ({ app, all, out }: { app?: string; all?: boolean; out?: string }) => {
      if ((app === undefined) === (all !== true)) throw new UsageError('say what to export: --app <id|name> or --all')
      const { runExport } = await import('../runExport.ts')
      await runExport(readConfig(), { app, out })
    })
}
