// recount replay
import { setFlagsFromString } from 'node:v8'
import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { readConfig } from '../../config.ts'
import { LIMITS } from '../../limits.ts'
import { PROJECTIONS } from '../../projections/all.ts'

const HELP = `
The new build stands beside the live one until it has caught up; readers see the old numbers, then the new ones. Interrupted
(Ctrl-C, kill, crash) or paused it leaves the live build as it is; run again it goes on where it stopped.
Examples:
  recount replay web                    rebuild and switch
  recount replay all                    all read models of apps at once: the log is read once
  recount replay web --app 0197…        the rows of one app
  recount replay web --dry --diff       build, say what would change, switch nothing
  recount replay web --pause            halt the rebuild under way, whichever process runs it
  recount replay web --rollback         back to the build before, once it has caught up
  recount replay web --drop 3           take away a build that is not live`

export interface ReplayFlags {
  readonly app?: string
  readonly keep?: number
  readonly threads?: number
  readonly dry?: true
  readonly diff?: true
  readonly pause?: true
  readonly rollback?: number | true
  readonly drop?: number
  readonly json?: true
}

export function replayCommand(): Command {
  const others = ['pause', 'rollback', 'drop', 'dry', 'app', 'keep']
  const alone = (flags: string, description: string, name: string): Option =>
    new Option(flags, description).conflicts(others.filter((other) => other !== name))
  return new Command('replay')
    .description('Rebuild a read model from the log, beside the live one, and switch when it has caught up.')
    .addArgument(new Argument('<projection>', `${PROJECTIONS.map(({ name }) => name).join(', ')}, or all`))
    .option('--app <id|name>', 'rebuild the rows of this app alone')
    .addOption(new Option('--keep <builds>', `how many former builds stay for the way back (${LIMITS.keptBuilds})`).argParser(upTo(0, LIMITS.keptBuildsMax)))
    .addOption(new Option('--dry', 'build and compare, but switch nothing').conflicts(['pause', 'rollback', 'drop', 'app', 'keep']))
    .option('--diff', 'with --dry: also say in words what would change first')
    .addOption(alone('--pause', 'halt the rebuild under way', 'pause'))
    .addOption(alone('--rollback [build]', 'go back to the build before, or to the one named', 'rollback').argParser(upTo(1, 2_147_483_647)))
    .addOption(alone('--drop <build>', 'take away a build that is not live', 'drop').argParser(upTo(1, 2_147_483_647)))
    .addOption(new Option('--threads <count>', 'how many threads may fold at once (1; more take more memory)').argParser(upTo(1, LIMITS.partitionsMax)))
    .option('--json', 'print the result as JSON')
    .addHelpText('after', HELP)
    .action(async (projection: string, flags: ReplayFlags) => {
      // Left alone, the heap grows to four times what is in use before it is cleaned, which at some histories is above the 512 MB
      // that a rebuild may take.
      setFlagsFromString('--heap-growing-percent=100')
      const { runReplay } = await import('../runReplay.ts')
      await runReplay(readConfig(), projection, flags)
    })
}

function upTo(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d{1,10}$/.test(text) || value < min || value > max) throw new InvalidArgumentError(`must be a number from ${min} to ${max}`)
    return value
  }
}
