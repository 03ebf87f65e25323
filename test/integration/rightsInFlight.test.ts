// Rights that change between a decision and its commit, or a moment before another process hears of them, on the real stores:
// a key never does more than its issuer may now, and a key that is not known costs one reading of the log and no flood of them.
import assert from 'node:assert/strict'
import { acceptInvitation } from '../../src/commands/acceptInvitation.ts'
import { createCommandBus } from '../../src/commands/bus.ts'
import { changeMemberRole } from '../../src/commands/changeMemberRole.ts'
import { createOrganisation } from '../../src/commands/createOrganisation.ts'
import { createKeyring } from '../../src/commands/foldedKeyring.ts'
import { createInvitationToken } from '../../src/commands/invitationToken.ts'
import { inviteMember } from '../../src/commands/inviteMember.ts'
import { issueApiKey } from '../../src/commands/issueApiKey.ts'
import { registerApp } from '../../src/commands/registerApp.ts'
import { removeMember } from '../../src/commands/removeMember.ts'
import { OWNER_ID, signInOwner } from '../../src/commands/signInOwner.ts'
import { createWriteKey } from '../../src/commands/writeKey.ts'
import { type ErrorCode, Problem } from '../../src/errors.ts'
import type { Append, EventLog } from '../../src/events/eventLog.ts'
import { openEventLog } from '../../src/events/openEventLog.ts'
import { FIRST_ORGANISATION } from '../../src/events/organisations.ts'
import type { Scope } from '../../src/events/schemas.ts'
import { createKeyAuthority } from '../../src/http/credentials.ts'
import { createTokens } from '../../src/http/tokens.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { openDatabase } from '../../src/kernel/database/open.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { migrate } from '../../src/kernel/migrations.ts'
import { addMember, type Member } from '../support/members.ts'
import { freshDatabase } from '../support/servers.ts'

const SECRETS = { jwtSecret: 'a secret of the tests, thirty-two characters or more' }
const OWNER = { actor: OWNER_ID }
const ALL: Scope[] = ['collect', 'query', 'people']
const refusedAs = (code: ErrorCode) => (error: unknown) => error instanceof Problem && error.code === code

describe('rights in flight', function () {
  this.timeout(60_000)
  let databaseUrl: string
  let closing: (() => Promise<void>)[]
  let one: Awaited<ReturnType<typeof startProcess>>
  let two: Awaited<ReturnType<typeof startProcess>>
  let appId: string

  /** What decides and what proves keys, on connections of its own. */
  async function startProcess() {
    const database = await openDatabase(databaseUrl)
    await migrate(database)
    const log = await openEventLog(database, { url: databaseUrl, partitions: 2 })
    closing.push(() => log.close().then(() => database.close()))
    const reads = { count: 0, underWay: 0, most: 0 }
    const read: EventLog['read'] = async (...place) => {
      reads.count += 1
      reads.most = Math.max(reads.most, (reads.underWay += 1))
      return log.read(...place).finally(() => (reads.underWay -= 1))
    }
    const keyring = createKeyring({ log: { read, onAppended: log.onAppended.bind(log), partitionOf: log.partitionOf.bind(log) }, logger: silentLogger })
    /** Done once, when this process has decided and is about to write. */
    const before: { write?: (() => Promise<unknown>) | undefined } = {}
    const appendControl = async (append: Append) => {
      const { write } = before
      before.write = undefined
      await write?.()
      return log.append(append)
    }
    const bus = createCommandBus({ log, queue: { appendControl }, keyring, clock: systemClock, logger: silentLogger })
    const authority = createKeyAuthority({ keyring, tokens: createTokens(SECRETS, systemClock), clock: systemClock })
    return { reads, keyring, before, bus, authority }
  }

  before(async () => {
    closing = []
    databaseUrl = await freshDatabase()
    one = await startProcess()
    two = await startProcess()
    await one.bus.execute(signInOwner, {}, { actor: undefined })
    appId = (await one.bus.execute(registerApp, { name: 'Rights' }, OWNER)).appId
    await two.keyring.refresh()
  })
  after(async () => {
    for (const close of closing) await close()
  })

  const newAdmin = (): Promise<Member> => addMember({ databaseUrl, ...SECRETS }, 'admin')
  /** A key with all scopes that somebody issues while something else comes first. */
  const issuedWhile = async ({ accountId }: Member, meanwhile: () => Promise<unknown>): Promise<string> => {
    const secret = createWriteKey()
    one.before.write = meanwhile
    await one.bus.execute(issueApiKey, { appId, scopes: ALL }, { actor: accountId, secret }).catch((error: unknown) => {
      if (!(error instanceof Problem)) throw error
    })
    return secret.writeKey
  }
  /** In either process; none where the key does not work. */
  const scopesOf = async (writeKey: string): Promise<readonly Scope[][]> => {
    const found: Scope[][] = []
    for (const { keyring, authority } of [one, two]) {
      await keyring.refresh()
      const grant = await Promise.resolve()
        .then(() => authority.resolve(writeKey))
        .catch((error: unknown) => {
          if (error instanceof Problem && error.status === 401) return { scopes: [] }
          throw error
        })
      found.push([...grant.scopes].sort())
    }
    return found
  }

  it('a key that somebody issues while they are demoted does what they may now, and no more', async () => {
    for (const [role, scopes] of [['analyst', ['people', 'query']], ['viewer', ['query']], ['guest', []]] as const) {
      const admin = await newAdmin()
      const writeKey = await issuedWhile(admin, () => two.bus.execute(changeMemberRole, { organisationId: FIRST_ORGANISATION, accountId: admin.accountId, role }, OWNER))
      assert.deepEqual(await scopesOf(writeKey), [scopes, scopes], role)
    }
  })

  it('a key that somebody issues while they are removed does nothing', async () => {
    for (const adoptKeys of [false, true]) {
      const admin = await newAdmin()
      const writeKey = await issuedWhile(admin, () => two.bus.execute(removeMember, { organisationId: FIRST_ORGANISATION, accountId: admin.accountId, adoptKeys }, OWNER))
      assert.deepEqual(await scopesOf(writeKey), [[], []])
    }
  })

  it('an invitation that is accepted while its maker is removed lets nobody in', async () => {
    const [guest, inviter] = [await newAdmin(), await newAdmin()]
    const { tokenHash } = createInvitationToken()
    await one.bus.execute(inviteMember, { organisationId: FIRST_ORGANISATION, role: 'admin', tokenHash }, { actor: inviter.accountId })
    // Somebody who belongs elsewhere only: here they come in by the link or not at all.
    const { organisationId } = await one.bus.execute(createOrganisation, { name: 'Elsewhere' }, OWNER)
    const elsewhere = createInvitationToken()
    await one.bus.execute(inviteMember, { organisationId, role: 'viewer', tokenHash: elsewhere.tokenHash }, OWNER)
    await one.bus.execute(acceptInvitation, { tokenHash: elsewhere.tokenHash }, { actor: guest.accountId })
    await one.bus.execute(removeMember, { organisationId: FIRST_ORGANISATION, accountId: guest.accountId }, OWNER)
    one.before.write = () => two.bus.execute(removeMember, { organisationId: FIRST_ORGANISATION, accountId: inviter.accountId }, OWNER)
    await assert.rejects(one.bus.execute(acceptInvitation, { tokenHash }, { actor: guest.accountId }), refusedAs('invitation_ended'))
    for (const at of [one, two]) {
      await at.keyring.refresh()
      assert.equal(at.keyring.state.member(FIRST_ORGANISATION, guest.accountId), undefined)
    }
  })

  it('an invitation that somebody makes while they are removed is none', async () => {
    const inviter = await newAdmin()
    const { tokenHash } = createInvitationToken()
    one.before.write = () => two.bus.execute(removeMember, { organisationId: FIRST_ORGANISATION, accountId: inviter.accountId }, OWNER)
    const inviting = one.bus.execute(inviteMember, { organisationId: FIRST_ORGANISATION, role: 'admin', tokenHash }, { actor: inviter.accountId })
    await assert.rejects(inviting, (error: unknown) => error instanceof Problem && error.status < 500)
    assert.equal(one.keyring.state.invitationByHash(tokenHash), undefined)
  })

  it('a key that another process issued a moment ago costs one reading, and is taken', async () => {
    const secret = createWriteKey()
    await one.bus.execute(issueApiKey, { appId }, { ...OWNER, secret })
    two.reads.count = 0
    assert.deepEqual((await two.authority.resolve(secret.writeKey)).scopes, ['collect'])
    assert.equal(two.reads.count, 1)
    await two.authority.resolve(secret.writeKey)
    assert.equal(two.reads.count, 1)
  })

  it('a key that nobody issued costs one reading before it is refused, and a thousand at once two', async () => {
    const unknown = (): Promise<void> => assert.rejects(async () => two.authority.resolve(createWriteKey().writeKey), refusedAs('unauthenticated'))
    await two.keyring.refresh()
    two.reads.count = 0
    await unknown()
    assert.equal(two.reads.count, 1)
    two.reads.count = 0
    await Promise.all(Array.from({ length: 1_000 }, unknown))
    assert.ok(two.reads.count <= 2, `${two.reads.count} readings`)
  })

  it('a flood of unknown keys reads one at a time, and what waits shares the next reading', async () => {
    const [clients, each] = [50, 40]
    Object.assign(two.reads, { count: 0, most: 0 })
    const client = async (): Promise<void> => {
      for (let tries = 0; tries < each; tries += 1) await assert.rejects(async () => two.authority.resolve(createWriteKey().writeKey), refusedAs('unauthenticated'))
    }
    await Promise.all(Array.from({ length: clients }, client))
    assert.equal(two.reads.most, 1)
    assert.ok(two.reads.count <= 3 * each, `${two.reads.count} readings for ${clients * each} keys`)
  })
})
