// The projector in a thread beside the API: it counts what the process appends, on both engines, gives its leases back when it
// is closed, and comes back when it dies.
import assert from 'node:assert/strict'
import { createLogger } from '../../../src/kernel/logger.ts'
import { migrate } from '../../../src/kernel/migrations.ts'
import { openDatabase } from '../../../src/kernel/database/open.ts'
import { type ProjectorThread, startProjectorThread } from '../../../src/projections/projectorThread.ts'
import { eventually } from '../../support/eventually.ts'
import { freshSqlite } from '../../support/servers.ts'
import { append, appIn, collected, ENGINES, openStage, openStageAt, type Stage } from './stage.ts'

interface Row {
  readonly owner: string | null
  readonly position: number | string
}

describe('a projector in a thread', () => {
  const lines: string[] = []
  let stage: Stage | undefined
  let thread: ProjectorThread | undefined

  const start = (url: string, log: Pick<Stage['log'], 'onAppended'>): void => {
    const logger = createLogger('warn', {}, { write: (line) => lines.push(line) })
    thread = startProjectorThread({ url, log, logger, partitions: 2, logLevel: 'silent', role: 'all', secrets: [] })
  }
  const checkpoint = (): Promise<Row | undefined> =>
    stage!.database.knex('projection_checkpoints').where({ projection: 'eventSummary', partition: 1 }).first<Row | undefined>('owner', 'position')
  const countedTo = (position: number): Promise<Row> =>
    eventually(async () => {
      const found = await checkpoint()
      return Number(found?.position) === position ? found : undefined
    })

  afterEach(async () => {
    await thread?.close()
    await stage?.close()
    thread = stage = undefined
    lines.length = 0
  })

  for (const engine of ENGINES) {
    it(`counts what is appended beside it, and gives its leases back, on ${engine}`, async () => {
      stage = await openStage(engine)
      const { log, url } = stage
      start(url, log)
      for (const position of [1, 2]) {
        await append(log, [collected(appIn(log, 1))])
        assert.notEqual((await countedTo(position)).owner, null)
      }
      await thread!.close()
      assert.equal((await checkpoint())?.owner, null)
    })
  }

  it('dies where the store is not what it should be, says so, and is started again', async () => {
    const url = freshSqlite()
    start(url, { onAppended: () => () => undefined })
    await eventually(() => lines.some((line) => line.includes('starting another')))
    const database = await openDatabase(url)
    await migrate(database)
    await database.close()
    stage = await openStageAt(url, 2)
    await append(stage.log, [collected(appIn(stage.log, 1))])
    await countedTo(1)
  })
})
