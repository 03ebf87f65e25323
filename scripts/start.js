// `npm start`: installs and builds what is missing, then becomes `recount serve`. In this very process, so that signals and
// the exit code are the server's own and no second Node sits beside it. Arguments after `--` go to `recount serve`.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureBuilt } from './ensureBuilt.js'
import { ensureInstalled, ROOT } from './ensureInstalled.js'

ensureInstalled()
ensureBuilt()

const recount = join(ROOT, 'bin/recount.js')
process.argv = [process.argv[0], recount, 'serve', ...process.argv.slice(2)]
await import(pathToFileURL(recount).href)
