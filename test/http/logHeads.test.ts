// The heads of the log over HTTP: for whoever runs the installation, in the form that verification takes.
import assert from 'node:assert/strict'
import { readHeads } from '../../src/events/publishedHeads.ts'
import { codeOf, type Fixture, startFixture } from './support/fixture.ts'

describe('GET /log/heads', function () {
  this.timeout(30_000)
  let fixture: Fixture

  before(async () => {
    fixture = await startFixture()
  })
  after(() => fixture.close())

  it('answers where each partition ends, also as the line that verification reads, and moves with the log', async () => {
    const { token, userToken } = fixture.app
    const before = (await fixture.ask({ path: '/log/heads', token: userToken })).body as { partitions: { partition: number; position: number; hash: string }[] }
    assert.equal((await fixture.ask({ path: '/collect?ack=stored', token, body: [{ event: 'seen' }, { event: 'seen' }] })).status, 201)
    const { line, ...published } = (await fixture.ask({ path: '/log/heads', token: userToken })).body as unknown as { line: string } & typeof before
    assert.deepEqual(readHeads(`> quoted in a mail\n${line.replaceAll(' ', '\n')}\n`), [published])
    const known = new Set(before.partitions.map(({ hash }) => hash))
    assert.deepEqual(published.partitions.filter(({ hash }) => !known.has(hash)).map(({ position }) => position >= 2), [true])
  })

  it('is for nobody else', async () => {
    assert.equal(codeOf(await fixture.ask({ path: '/log/heads' })), 'unauthenticated')
    assert.equal(codeOf(await fixture.ask({ path: '/log/heads', token: fixture.app.token })), 'forbidden')
  })
})
