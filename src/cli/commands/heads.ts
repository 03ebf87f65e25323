// recount heads
import { Command } from 'commander'
import { readConfig } from '../../config.ts'

const HELP = `
Where each partition of the log ends and the hash of the append chain there, as one line. Publish it where nobody who can
write the log can change it (a signed git tag, a mail to a third party, a newspaper): with it, recount verify --heads proves
later that what was stored by then was not rewritten. It reveals how many events there are, and nothing of what they say.
Examples:
  recount heads
  recount heads >> published-heads.txt
  recount heads --json --out heads.json
  recount verify --heads published-heads.txt`

export function headsCommand(): Command {
  return new Command('heads')
    .description('Print the heads of the log, to publish: proof of what was stored by now.')
    .option('--json', 'as JSON')
    .option('--out <file>', 'write them to this file instead')
    .addHelpText('after', HELP)
    .action(async (options: { json?: boolean; out?: string }) => {
      const { runHeads } = await import('../runHeads.ts')
      await runHeads(readConfig(), { json: options.json === true, out: options.out })
    })
}
