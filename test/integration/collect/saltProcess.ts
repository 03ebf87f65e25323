// Prints the salts that a process of its own gets for ten apps.
import { createSaltStore } from '../../../src/commands/salts.ts'
import { systemClock } from '../../../src/kernel/clock.ts'
import { openDatabase } from '../../../src/kernel/database/open.ts'

const [, , url, ...appIds] = process.argv
const database = await openDatabase(url!)
const salts = createSaltStore({ database, clock: systemClock })
const settings = { timezone: 'UTC', ip: 'truncate', keepQuery: [] } as const
const found = await Promise.all(appIds.map((appId) => salts.get({ appId, settings: { ...settings, keepQuery: [] } }, Date.now())))
process.stdout.write(found.map((salt) => Buffer.from(salt).toString('hex')).join(' '))
await database.close()
