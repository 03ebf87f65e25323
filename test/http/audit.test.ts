// The audit log as admins meet it: what was just done is there, for those alone whose organisation it is; as pages and as a file.
import assert from 'node:assert/strict'
import { appDeleted } from '../../src/events/appDeleted.ts'
import { FIRST_ORGANISATION } from '../../src/events/organisations.ts'
import { openDatabase } from '../../src/kernel/database/open.ts'
import { grantApp } from '../../src/commands/grantApp.ts'
import { signOutEverywhere } from '../../src/commands/signOutEverywhere.ts'
import { transferApp } from '../../src/commands/transferApp.ts'
import { updateOrganisation } from '../../src/commands/updateOrganisation.ts'
import type { AuditEntry } from '../../src/queries/audit.ts'
import { exportAudit } from '../../src/queries/auditExport.ts'
import { codeOf, type Fixture, startFixture, type Told } from './support/fixture.ts'
import { join, memberOf, type Organisation, otherOrganisation, type Person, signIn } from './support/people.ts'

describe('the audit log over HTTP', function () {
  this.timeout(60_000)
  let fixture: Fixture
  let theirs: Organisation
  let admin: Person

  before(async () => {
    fixture = await startFixture()
    theirs = await otherOrganisation(fixture)
    admin = await memberOf(fixture, 'admin')
  })
  after(() => fixture.close())

  const told = (query = '', token = admin.token, organisationId = FIRST_ORGANISATION): Promise<Told> => fixture.ask({ path: `/organisations/${organisationId}/audit${query}`, token })
  const listed = async (query = '', token = admin.token, organisationId = FIRST_ORGANISATION): Promise<AuditEntry[]> => {
    const answer = await told(query, token, organisationId)
    assert.equal(answer.status, 200, answer.text)
    return answer.body['entries'] as AuditEntry[]
  }
  const everything = async (token = admin.token, organisationId = FIRST_ORGANISATION): Promise<AuditEntry[]> => {
    const all: AuditEntry[] = []
    for (let query = '?limit=500'; ; ) {
      const { body } = await told(query, token, organisationId)
      all.push(...(body['entries'] as AuditEntry[]))
      if (body['nextCursor'] === null) return all
      query = `?limit=500&cursor=${body['nextCursor'] as string}`
    }
  }
  const exported = async (query = '', token = admin.token): Promise<Told> => {
    const answer = await fixture.ask({ path: `/organisations/${FIRST_ORGANISATION}/audit/export${query}`, token })
    assert.equal(answer.status, 200, answer.text)
    return answer
  }
  const rename = async (name: string): Promise<void> => {
    const answer = await fixture.ask({ method: 'PATCH', path: `/apps/${fixture.app.appId}`, token: fixture.app.userToken, body: { name } })
    assert.equal(answer.status, 200, answer.text)
  }

  it('shows at once what was done, by whom, and what it was before', async () => {
    await rename('Renamed')
    const [entry] = await listed('?limit=1')
    const { userToken, appId } = fixture.app
    const { accountId } = fixture.tokens.verifyUser(userToken)
    assert.deepEqual(entry!.actor, { accountId, email: null, name: null })
    assert.deepEqual([entry!.action, entry!.label, entry!.subject, entry!.appId], ['AppUpdated', 'App changed', { kind: 'app', id: appId, name: 'Renamed' }, appId])
    assert.deepEqual([entry!.before, entry!.after, entry!.erased], [{ name: 'Test app' }, { name: 'Renamed' }, false])
    for (const name of ['One', 'Two', 'Three', 'Four', 'Five']) {
      await fixture.bus.execute(updateOrganisation, { organisationId: FIRST_ORGANISATION, name }, { actor: accountId })
      assert.deepEqual((await listed('?limit=1'))[0]!.after, { name })
    }
    const [signIn] = await listed(`?limit=1&action=SignedIn&actor=${admin.accountId}`)
    assert.deepEqual([signIn!.actor?.email, signIn!.subject.name], [admin.email, admin.email])
  })

  it('is for admins of the organisation; others learn no more of it than they know', async () => {
    const outcome = async (token: string | undefined, path: string): Promise<string> => {
      const answer = await fixture.ask({ path, token })
      return `${answer.status} ${codeOf(answer)}`.trim()
    }
    const [analyst, guest] = [await memberOf(fixture, 'analyst'), await memberOf(fixture, 'guest')]
    await fixture.bus.execute(grantApp, { appId: fixture.app.appId, accountId: guest.accountId, role: 'admin' }, { actor: admin.accountId })
    for (const path of [`/organisations/${FIRST_ORGANISATION}/audit`, `/organisations/${FIRST_ORGANISATION}/audit/export?format=csv`]) {
      assert.equal(await outcome(admin.token, path), '200')
      assert.equal(await outcome(fixture.app.userToken, path), '200')
      assert.equal(await outcome(analyst.token, path), '403 forbidden')
      assert.equal(await outcome(guest.token, path), '403 forbidden')
      assert.equal(await outcome(theirs.ownerToken, path), '404 not_found')
      assert.equal(await outcome(fixture.app.token, path), '403 forbidden')
      assert.equal(await outcome(undefined, path), '401 unauthenticated')
      const unknown = path.replace(FIRST_ORGANISATION, fixture.app.appId)
      assert.equal(await outcome(admin.token, unknown), '404 not_found')
    }
  })

  it('shows nothing of another organisation, sign-ins where somebody belongs alone, and a transfer in both', async () => {
    const both = await memberOf(fixture, 'viewer')
    await join(fixture, both, 'viewer', theirs.organisationId)
    await signIn(fixture, { googleId: both.email.split('@')[0]!, email: both.email })
    await fixture.bus.execute(updateOrganisation, { organisationId: theirs.organisationId, name: 'Secret project' }, { actor: theirs.ownerId })
    await fixture.bus.execute(signOutEverywhere, {}, { actor: theirs.guest.accountId })
    const ours = JSON.stringify(await everything())
    for (const hidden of ['Secret project', theirs.appId, theirs.key.keyId, theirs.guest.accountId, theirs.guest.email, theirs.organisationId]) {
      assert.ok(!ours.includes(hidden), hidden)
    }
    const seenThere = JSON.stringify(await everything(theirs.ownerToken, theirs.organisationId))
    for (const shown of ['Secret project', theirs.appId, theirs.key.keyId, theirs.guest.accountId]) assert.ok(seenThere.includes(shown), shown)
    for (const hidden of [fixture.app.appId, fixture.app.keyId, admin.email, FIRST_ORGANISATION]) assert.ok(!seenThere.includes(hidden), hidden)
    const ins = (entries: readonly AuditEntry[]): number => entries.filter(({ action, subject }) => action === 'SignedIn' && subject.id === both.accountId).length
    // The first came before they belonged there.
    assert.deepEqual([ins(await everything()), ins(await everything(theirs.ownerToken, theirs.organisationId))], [2, 1])
    const owner = await memberOf(fixture, 'owner')
    await join(fixture, owner, 'admin', theirs.organisationId)
    await fixture.bus.execute(transferApp, { appId: fixture.other.appId, organisationId: theirs.organisationId }, { actor: owner.accountId })
    const transfers = [await listed('?action=AppTransferred'), await listed('?action=AppTransferred', theirs.ownerToken, theirs.organisationId)]
    assert.deepEqual(transfers.map((entries) => entries.map(({ subject, after }) => [subject.id, after])), Array(2).fill([[fixture.other.appId, { organisationId: theirs.organisationId }]]))
  })

  it('narrows by time, actor, actions, app and subject, and refuses what makes no sense', async () => {
    const all = await everything()
    const same = async (query: string, keeps: (entry: AuditEntry) => boolean): Promise<void> => {
      const expected = all.filter(keeps)
      assert.ok(expected.length > 0 && expected.length < all.length, query)
      assert.deepEqual(await listed(`?limit=500&${query}`), expected, query)
    }
    await same(`actor=${admin.accountId}`, ({ actor }) => actor?.accountId === admin.accountId)
    await same('action=AppUpdated,ApiKeyIssued', ({ action }) => action === 'AppUpdated' || action === 'ApiKeyIssued')
    await same(`app=${fixture.app.appId}`, ({ appId }) => appId === fixture.app.appId)
    await same(`subject=${fixture.app.keyId}`, ({ subject }) => subject.id === fixture.app.keyId)
    await same(`app=${fixture.app.appId}&action=ApiKeyIssued`, ({ appId, action }) => appId === fixture.app.appId && action === 'ApiKeyIssued')
    const middle = all[Math.floor(all.length / 2)]!.recordedAt
    await same(`from=${middle}`, ({ recordedAt }) => recordedAt >= middle)
    await same(`to=${middle}`, ({ recordedAt }) => recordedAt < middle)
    assert.deepEqual(await listed('?from=2001-01-01&to=2001-01-02'), [])
    assert.equal((await listed('?limit=500&to=2999-01-01')).length, all.length)
    const refused: [string, string][] = [
      ['?action=Nothing', 'invalid_parameter'],
      ['?action=AppUpdated,', 'invalid_parameter'],
      ['?action=EventCollected', 'invalid_parameter'],
      ['?actor=me', 'invalid_parameter'],
      ['?from=yesterday', 'invalid_parameter'],
      ['?cursor=x', 'invalid_parameter'],
      ['?from=2026-01-02&to=2026-01-01', 'empty_range'],
    ]
    for (const [query, code] of refused) {
      const answer = await told(query)
      assert.deepEqual([answer.status, codeOf(answer)], [400, code], query)
    }
  })

  it('pages without gap or repetition while more is done', async () => {
    const before = await everything()
    const paged: AuditEntry[] = []
    let cursor: string | null = null
    for (let page = 0; cursor !== null || page === 0; page++) {
      const { body } = await told(`?limit=4${cursor === null ? '' : `&cursor=${cursor}`}`)
      paged.push(...(body['entries'] as AuditEntry[]))
      cursor = body['nextCursor'] as string | null
      if (page % 3 === 0) await rename(`Name ${page}`)
    }
    assert.deepEqual(paged, before)
  })

  it('gives the same as a file, of lines of JSON or CSV, whole while more is done', async () => {
    const before = await everything()
    const [jsonl] = await Promise.all([exported(), ...Array.from({ length: 5 }, (_, index) => rename(`While ${index}`))])
    assert.equal(jsonl.headers['content-type'], 'application/jsonl; charset=utf-8')
    assert.match(jsonl.headers['content-disposition']!, /^attachment; filename="?recount-audit-\d{4}-\d\d-\d\d\.jsonl"?$/)
    assert.equal(jsonl.headers['cache-control'], 'private, no-store')
    const entries = jsonl.text.trimEnd().split('\n').map((line) => JSON.parse(line) as AuditEntry)
    assert.deepEqual(entries.slice(-before.length), before)
    const now = await everything()
    assert.deepEqual(entries, now.slice(-entries.length))
    const csv = await exported('?format=csv&action=AppUpdated')
    assert.equal(csv.headers['content-type'], 'text/csv; charset=utf-8; header=present')
    const [names, ...records] = recordsOf(csv.text)
    const updates = now.filter(({ action }) => action === 'AppUpdated')
    assert.deepEqual(records.map((record) => Number(record[names!.indexOf('position')])), updates.map(({ position }) => position))
    assert.deepEqual(records.map((record) => JSON.parse(record[names!.indexOf('after')]!) as unknown), updates.map(({ after }) => after))
    const head = await fixture.ask({ method: 'HEAD', path: `/organisations/${FIRST_ORGANISATION}/audit/export?format=csv`, token: admin.token })
    assert.deepEqual([head.status, head.text, head.headers['content-type']], [200, '', 'text/csv; charset=utf-8; header=present'])
  })

  it('lets no spreadsheet calculate what people wrote', async () => {
    const names = ['=HYPERLINK("http://x.example","y")', '+1', '-2', '@SUM(A1)', 'a "quoted", name']
    for (const name of names) await rename(name)
    const { text } = await exported(`?format=csv&app=${fixture.app.appId}&action=AppUpdated`)
    const [head, ...records] = recordsOf(text)
    const shown = records.slice(0, names.length).map((record) => record[head!.indexOf('subjectName')])
    assert.deepEqual(shown.reverse(), [...names.slice(0, 4).map((name) => `'${name}`), names[4]])
  })

  it('refuses a file of more than it may hold, and says where to divide it', async () => {
    const all = await everything()
    const database = await openDatabase(`sqlite:${fixture.file}`)
    try {
      const scope = { organisationId: FIRST_ORGANISATION, fromMs: undefined, toMs: undefined, after: 0, upTo: Number.MAX_SAFE_INTEGER }
      let counted = 0
      for await (const page of await exportAudit(database, scope, all.length)) counted += page.length
      assert.equal(counted, all.length)
      await assert.rejects(exportAudit(database, scope, all.length - 3), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'too_many_rows')
        const [, from] = /from=(\S+);/.exec(error.message)!
        assert.equal(Date.parse(from!), Date.parse(all[all.length - 3]!.recordedAt) + 1)
        return true
      })
    } finally {
      await database.close()
    }
  })

  it('has what an operator did to read models, and of what was refused nothing', async () => {
    const act = (action: string, body: object, projection = 'keyUse'): Promise<Told> => fixture.ask({ path: `/projections/${projection}/${action}`, token: fixture.app.userToken, body })
    const operated = async (): Promise<unknown[]> => (await listed('?limit=500&action=ProjectionOperated')).map(({ subject, appId, after }) => [subject.id, appId, after])
    const refused = [
      await act('rebuild', {}, 'nothing'),
      await act('rebuild', { appId: theirs.guest.accountId }),
      await act('pause', {}),
      await act('drop', { build: 999 }),
      await act('switch', { build: 999 }),
      await act('rollback', {}),
    ]
    assert.deepEqual(refused.map(({ status }) => status), Array(6).fill(404))
    assert.deepEqual(await operated(), [])
    assert.equal((await act('rebuild', { appId: fixture.app.appId })).status, 202)
    assert.deepEqual(await operated(), [['keyUse', fixture.app.appId, { action: 'rebuild' }]])
  })

  it('says at the end of an app which keys ended with it', async () => {
    const gone = await fixture.ask({ method: 'DELETE', path: `/apps/${fixture.app.appId}`, token: fixture.app.userToken })
    assert.ok(gone.status < 300, gone.text)
    const [entry] = await listed(`?limit=1&action=${appDeleted.type}`)
    assert.equal(entry!.after, null)
    assert.ok((entry!.before!['keys'] as { keyId: string }[]).some(({ keyId }) => keyId === fixture.app.keyId))
  })
})

/** CSV as RFC 4180 says it. */
function recordsOf(text: string): string[][] {
  const records: string[][] = []
  let cells: string[] = []
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    cells.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'))
    if (end === ',') continue
    records.push(cells)
    cells = []
  }
  return records
}
