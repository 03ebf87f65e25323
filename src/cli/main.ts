// The `recount` command: reads its arguments, runs one subcommand, and sets the exit code.
import { run } from './program.ts'

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever read our output has enough of it (`recount export … | head`).
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

process.exitCode = await run(process.argv)
