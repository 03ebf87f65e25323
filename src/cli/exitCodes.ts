// What the exit code of every `recount` command says, so that a script can decide without reading the output.

export const EXIT = {
  /** Done, and nothing to complain about. */
  ok: 0,
  /** Not done, or `verify` found a mismatch. */
  failed: 1,
  /** The command line or the configuration is wrong; nothing was touched. */
  usage: 2,
  /** Done, but some input was refused and reported: bad lines of an import. */
  partly: 3,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Called by a subcommand that ends with something else than 0. */
export type SetExit = (code: ExitCode) => void

export const EXIT_HELP = `
Exit codes:
  0  done
  1  failed, or a mismatch was found
  2  wrong usage or configuration; nothing was touched
  3  done, but some lines were bad and are reported
`

/** A fault of whoever typed the command: said in one line, without a stack. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

/** The command could not do what it was asked, for a reason that is said in one line. */
export class CommandFailed extends Error {
  constructor(message: string, options?: { cause: unknown }) {
    super(message, options)
    this.name = 'CommandFailed'
  }
}
