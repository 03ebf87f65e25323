// A row of web_cells that somebody damaged is a finding of `verify`, also while changes wait beside it.
import assert from 'node:assert/strict'
import { uuidv7 } from '../../../src/kernel/ids.ts'
import { verifyReadModels } from '../../../src/projections/verify.ts'
import { packChanges } from '../../../src/projections/web/pending.ts'
import { web } from '../../../src/projections/web/web.ts'
import { withLimits } from '../../support/limits.ts'
import { openDriver } from './driver.ts'

interface Row {
  readonly build: number
  readonly dimension_key: Buffer
  readonly day: number
  readonly block: number
  readonly bot: number
  readonly content: Buffer
  readonly pending: Buffer
}

const DAMAGE: Readonly<Record<string, (row: Row) => Partial<Row>>> = {
  'content emptied': () => ({ content: Buffer.alloc(0) }),
  'content cut': ({ content }) => ({ content: content.subarray(0, -3) }),
  'pending cut': ({ pending }) => ({ pending: pending.subarray(0, -1) }),
  'pending that takes back more than was there': ({ content }) => ({ pending: packChanges([[content[0]!, { events: -100_000, pageviews: 0, visits: 0 }, new Int32Array()]]) }),
}

describe('verify of rows of web_cells', function () {
  this.timeout(60_000)

  for (const [what, damage] of Object.entries(DAMAGE)) {
    it(`finds ${what}`, async () => {
      const driver = await openDriver('sqlite')
      try {
        const appId = uuidv7()
        await driver.register(appId, 'UTC')
        const visit = (at: number): Parameters<typeof driver.collect>[0][number] => ({ id: uuidv7(), appId, at: Date.UTC(2024, 1, 1) + at * 1_000, data: { event: 'pageview', url: `https://x.example/${at % 7}`, anonymousId: `a${at}` } })
        await driver.collect(Array.from({ length: 600 }, (_, at) => visit(at)))
        const build = await driver.build(web)
        await withLimits({ cellPendingFromBytes: 100 }, () => driver.fold(web, build, 30))
        const verify = async (): Promise<readonly string[]> => (await verifyReadModels({ log: driver.log, database: driver.database, projections: [web] }))[0]!.differences
        assert.deepEqual(await verify(), [])
        const cells = driver.database.knex<Row>('web_cells')
        const row = (await cells.clone().whereNotNull('pending').first())!
        const { dimension_key, day, block, bot } = row
        const changed = damage({ ...row, content: Buffer.from(row.content), pending: Buffer.from(row.pending) })
        assert.equal(await cells.clone().where({ build, dimension_key, day, block, bot }).update(changed), 1)
        assert.match((await verify()).join('\n'), /^web_cells: app_id/)
      } finally {
        await driver.close()
      }
    })
  }
})
