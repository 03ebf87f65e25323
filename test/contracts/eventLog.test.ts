// The log's contract on every engine.
import { join } from 'node:path'
import { scratchDirectory } from '../support/scratch.ts'
import { freshDatabase } from '../support/servers.ts'
import { eventLogConcurrency } from './eventLogConcurrency.ts'
import { eventLogContract } from './eventLogContract.ts'

const engines: [string, () => Promise<string>][] = [
  ['SQLite', () => Promise.resolve(`sqlite:${join(scratchDirectory('log'), 'recount.db')}`)],
  ['MySQL', () => freshDatabase()],
]

for (const [engine, freshUrl] of engines) {
  eventLogContract(engine, freshUrl)
  eventLogConcurrency(engine, freshUrl)
}
