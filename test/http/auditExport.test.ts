// An export goes out as fast as its reader takes it, ends when the reader goes or may see it no longer, and never looks whole
// when it is not.
import assert from 'node:assert/strict'
import { get, type IncomingMessage } from 'node:http'
import type { ControlState, MemberState } from '../../src/commands/keyring.ts'
import { FIRST_ORGANISATION } from '../../src/events/organisations.ts'
import { createHttpServer } from '../../src/http/server.ts'
import type { HttpDeps } from '../../src/http/deps.ts'
import { LIMITS } from '../../src/limits.ts'
import type { AuditEntry } from '../../src/queries/audit.ts'
import { eventually } from '../support/eventually.ts'
import { fakeDeps, fakeKeyring, listening, OTHER_ORGANISATION, OWNER, userToken } from './support/fakeDeps.ts'

const ENTRY = { position: 1, action: 'SignedIn', subject: { kind: 'account', id: OWNER, name: 'x'.repeat(200) } } as unknown as AuditEntry

interface Watched {
  pages: number
  ended: boolean
}

/** More than anybody takes. */
async function* endless(watched: Watched): AsyncGenerator<readonly AuditEntry[]> {
  try {
    for (;;) {
      watched.pages += 1
      yield Array.from({ length: LIMITS.pageMax }, () => ENTRY)
      await new Promise((resolve) => setImmediate(resolve))
    }
  } finally {
    watched.ended = true
  }
}

describe('an export of the audit log', function () {
  this.timeout(30_000)

  async function withServer(overrides: Partial<HttpDeps>, work: (open: (path?: string, organisationId?: string) => Promise<IncomingMessage>) => Promise<void>): Promise<void> {
    const deps = fakeDeps(overrides)
    const place = await listening(createHttpServer(deps))
    const headers = { authorization: `Bearer ${userToken(deps, OWNER)}` }
    const open = (path = '/audit/export', organisationId = FIRST_ORGANISATION): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        get(`${place.url}/organisations/${organisationId}${path}`, { headers, agent: false }, resolve).on('error', reject)
      })
    try {
      await work(open)
    } finally {
      await place.close()
    }
  }
  const control = (watched: Watched): HttpDeps['control'] => ({ ...fakeDeps().control, auditExport: () => Promise.resolve(endless(watched)) })

  it('and a page wait for what this process knows to have been done', async () => {
    const waited: (number | undefined)[] = []
    const watching: HttpDeps['control'] = {
      ...fakeDeps().control,
      audit: (_organisationId, { atLeast }) => Promise.resolve({ body: { waited: waited.push(atLeast) }, etag: '"x"', cached: false }),
      auditExport: (_organisationId, { atLeast }) => Promise.resolve((async function* () {})()).finally(() => waited.push(atLeast)),
    }
    await withServer({ control: watching, keyring: fakeKeyring({}, { position: 42 }) }, async (open) => {
      for (const path of ['/audit', '/audit/export']) (await open(path)).resume()
    })
    assert.deepEqual(waited, [42, 42])
  })

  it('reads no further than its reader does, and stops when that one goes', async () => {
    const watched: Watched = { pages: 0, ended: false }
    await withServer({ control: control(watched) }, async (open) => {
      const response = await open()
      let before = 0
      // Nobody takes anything: what the sockets hold is full soon, and then no further page is read.
      const isFull = (): boolean => {
        const same = watched.pages > 0 && watched.pages === before
        before = watched.pages
        return same
      }
      await eventually(isFull, { everyMs: 100 })
      assert.ok(watched.pages < 200, `${watched.pages} pages for nobody`)
      response.destroy()
      await eventually(() => watched.ended)
    })
  })

  it('breaks off, so that nobody takes it for whole, when its reader may not see it any more', async () => {
    const watched: Watched = { pages: 0, ended: false }
    let role: MemberState['role'] = 'admin'
    const member: ControlState['member'] = (organisationId, accountId) => ({ organisationId, accountId, role, joinedAt: 0 })
    await withServer({ control: control(watched), keyring: fakeKeyring({}, { member }) }, async (open) => {
      const response = await open()
      assert.equal(response.statusCode, 200)
      const broken = new Promise<string>((resolve) => response.on('error', (error: Error & { code?: string }) => resolve(error.code!)))
      response.once('data', () => (role = 'viewer')).resume()
      assert.equal(await broken, 'ECONNRESET')
      assert.ok(watched.ended)
    })
  })

  it('lets so many go on at once, half of them of one organisation, and no more', async () => {
    const watched: Watched = { pages: 0, ended: false }
    const member: ControlState['member'] = (organisationId, accountId) => ({ organisationId, accountId, role: 'admin', joinedAt: 0 })
    await withServer({ control: control(watched), keyring: fakeKeyring({}, { member }) }, async (open) => {
      const all: IncomingMessage[] = []
      const half = LIMITS.auditExports / 2
      for (const organisationId of [FIRST_ORGANISATION, OTHER_ORGANISATION]) {
        for (let index = 0; index <= half; index++) all.push(await open('/audit/export', organisationId))
      }
      all.push(await open('/audit/export', OWNER))
      const those = [...Array<number>(half).fill(200), 429]
      assert.deepEqual(all.map(({ statusCode }) => statusCode), [...those, ...those, 429])
      for (const response of all) response.destroy()
      await eventually(async () => {
        const again = await open()
        again.destroy()
        return again.statusCode === 200
      })
    })
  })
})
