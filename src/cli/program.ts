// All subcommands and what their failures mean to a script. A fault that somebody can mend is said in one line; only a
// defect shows its stack.
import { Command, CommanderError } from 'commander'
import { ConfigError } from '../config.ts'
import { Problem } from '../errors.ts'
import { VERSION } from '../kernel/version.ts'
import { benchCommand } from './commands/bench.ts'
import { demoCommand } from './commands/demo.ts'
import { exportCommand } from './commands/export.ts'
import { headsCommand } from './commands/heads.ts'
import { importCommand } from './commands/import.ts'
import { ledgerCommand } from './commands/ledger.ts'
import { migrateCommand } from './commands/migrate.ts'
import { replayCommand } from './commands/replay.ts'
import { rotateSecretCommand } from './commands/rotateSecret.ts'
import { serveCommand } from './commands/serve.ts'
import { verifyCommand } from './commands/verify.ts'
import { CommandFailed, EXIT, EXIT_HELP, type ExitCode, type SetExit, UsageError } from './exitCodes.ts'

const COMMANDS = [serveCommand, migrateCommand, importCommand, exportCommand, replayCommand, verifyCommand, headsCommand, ledgerCommand, benchCommand, demoCommand, rotateSecretCommand]

export function createProgram(setExit: SetExit): Command {
  const program = new Command('recount')
    .description('Analytics you can recount: every number is a fold over an append-only log of events.')
    .version(VERSION, '--version', 'say which version this is')
    .addHelpText('after', '\nAll commands read the environment variables that the README lists (DATABASE_URL, DATA_DIR, …).')
    .showHelpAfterError('(see --help)')
    .exitOverride()
  for (const create of COMMANDS) {
    const command = create(setExit).exitOverride().showHelpAfterError('(see --help)')
    program.addCommand(command.addHelpText('after', EXIT_HELP))
  }
  return program
}

/** Runs one command line. Never throws. */
export async function run(argv: readonly string[]): Promise<ExitCode> {
  let exit: ExitCode = EXIT.ok
  try {
    await createProgram((code) => (exit = code)).parseAsync(argv)
    return exit
  } catch (error) {
    return failure(error)
  }
}

function failure(error: unknown): ExitCode {
  // Commander has already written what there is to say.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof UsageError || error instanceof ConfigError) return said(error.message, EXIT.usage)
  if (error instanceof CommandFailed) return said(error.message, EXIT.failed)
  if (error instanceof Problem) return said([error.message, ...(error.errors ?? []).map(({ path, detail }) => `${path} ${detail}`)].join('\n'), EXIT.failed)
  return said(inWords(error), EXIT.failed)
}

function said(message: string, code: ExitCode): ExitCode {
  process.stderr.write(`recount: ${message}\n`)
  return code
}

/** Errors of the system and of drivers have a code and speak for themselves; anything else is a defect. */
function inWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = (error as NodeJS.ErrnoException).code
  if (error instanceof AggregateError) return error.errors.map(inWords).join('; ')
  return code === undefined ? (error.stack ?? error.message) : error.message
}
