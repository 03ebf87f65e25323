// recount serve
import cluster from 'node:cluster'
import { Command, Option } from 'commander'
import { type Config, readConfig } from '../../config.ts'
import { keepYoungGenerationSmall } from '../../kernel/youngGeneration.ts'
import type { Recount } from '../../main.ts'
import type { OnReady } from '../../serve.ts'
import { EXIT, type SetExit } from '../exitCodes.ts'

const EXAMPLES = `
Examples:
  recount serve                   everything in one process
  recount serve --role api        only HTTP; needs REDIS_URL and a mysql DATABASE_URL
  recount serve --role append     only the workers that write the log
  recount serve --role project    only the workers that keep the read models
  recount serve --demo            also loads a small real access log into a demo app`

export function serveCommand(setExit: SetExit): Command {
  return new Command('serve')
    .description('Serve: collect events, append them to the log, count them, answer questions.')
    .addOption(new Option('--role <role>', 'which part of the work this process does (default: ROLE, else all)').choices(['all', 'api', 'append', 'project']))
    .option('--demo', 'load the demo app once it serves')
    .addHelpText('after', EXAMPLES)
    .action(async ({ role, demo }: { role?: string; demo?: boolean }) => {
      // An API process of several runs under the same arguments as its parent, which tells it its role.
      const own = cluster.isPrimary
      const config = readConfig(undefined, role === undefined || !own ? {} : { ROLE: role })
      keepYoungGenerationSmall()
      const { serve } = await import('../../serve.ts')
      const loading: Promise<void>[] = []
      const onReady: OnReady = (text, recount) => {
        process.stdout.write(text)
        if (demo === true && own) loading.push(loadAndSay(config, recount))
      }
      const code = await serve(config, onReady)
      await Promise.all(loading)
      if (code !== 0) setExit(EXIT.failed)
    })
}

async function loadAndSay(config: Config, recount: Recount | undefined): Promise<void> {
  const { loadDemo } = await import('../demo.ts')
  const { app, stored } = await loadDemo(config)
  process.stdout.write(`\n${app.name} is app ${app.appId}: ${stored} new events of a real site, ending yesterday\n`)
  if (recount === undefined) return
  const { readingOf } = await import('../../firstRun.ts')
  process.stdout.write(await readingOf(recount, app.appId))
}
