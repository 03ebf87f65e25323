// recount demo
import { Command } from 'commander'
import { readConfig } from '../../config.ts'

const HELP = `
Examples:
  recount demo
  npm start -- --demo`

export function demoCommand(): Command {
  return new Command('demo')
    .description('Load an excerpt of a real access log into an app of its own, shifted so that it ends yesterday.')
    .addHelpText('after', HELP)
    .action(async () => {
      const { loadDemo } = await import('../demo.ts')
      const { app, stored } = await loadDemo(readConfig())
      console.log(`${app.name} (${app.appId}): ${stored} new events`)
    })
}
