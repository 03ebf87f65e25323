// recount migrate
import { Command } from 'commander'
import { readConfig } from '../../config.ts'
import { type SetExit, EXIT } from '../exitCodes.ts'

const EXAMPLES = `
Examples:
  recount migrate
  recount migrate --check         changes nothing; exit code 1 when migrations are pending
  DATABASE_URL=mysql://recount:…@db/recount recount migrate`

interface Options {
  check?: boolean
  json?: boolean
}

export function migrateCommand(setExit: SetExit): Command {
  return new Command('migrate')
    .description('Bring the database to the schema of this program. Safe when several processes do it at once.')
    .option('--check', 'only say what is pending')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Options) => {
      const { openDatabase } = await import('../../kernel/database/open.ts')
      const { migrate, pendingMigrations } = await import('../../kernel/migrations.ts')
      const database = await openDatabase(readConfig().databaseUrl)
      try {
        const check = options.check === true
        const names = check ? await pendingMigrations(database) : await migrate(database)
        if (check && names.length > 0) setExit(EXIT.failed)
        if (options.json === true) console.log(JSON.stringify({ [check ? 'pending' : 'applied']: names }))
        else if (names.length === 0) console.log('The database is up to date.')
        else console.log(names.map((name) => `${check ? 'pending' : 'applied'} ${name}`).join('\n'))
      } finally {
        await database.close()
      }
    })
}
