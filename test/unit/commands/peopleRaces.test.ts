// Two people at once, each with a process of their own on one log: whatever the first has done, the second decides anew.
import assert from 'node:assert/strict'
import { acceptInvitation } from '../../../src/commands/acceptInvitation.ts'
import { createCommandBus } from '../../../src/commands/bus.ts'
import type { CommandBus } from '../../../src/commands/commandBus.ts'
import { createOrganisation } from '../../../src/commands/createOrganisation.ts'
import { createKeyring } from '../../../src/commands/foldedKeyring.ts'
import { grantApp } from '../../../src/commands/grantApp.ts'
import { createInvitationToken } from '../../../src/commands/invitationToken.ts'
import { inviteMember } from '../../../src/commands/inviteMember.ts'
import type { Keyring } from '../../../src/commands/keyring.ts'
import { registerApp } from '../../../src/commands/registerApp.ts'
import { removeMember } from '../../../src/commands/removeMember.ts'
import { revokeInvitation } from '../../../src/commands/revokeInvitation.ts'
import { OWNER_ID, signInOwner } from '../../../src/commands/signInOwner.ts'
import { signInWithGoogle } from '../../../src/commands/signInWithGoogle.ts'
import { transferApp } from '../../../src/commands/transferApp.ts'
import { type ErrorCode, Problem } from '../../../src/errors.ts'
import type { Append } from '../../../src/events/eventLog.ts'
import { FIRST_ORGANISATION, type MemberRole } from '../../../src/events/organisations.ts'
import { systemClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/logger.ts'
import { ENGINES, type OpenLog } from './engines.ts'
import { id } from './given.ts'

interface Process {
  bus: CommandBus
  keyring: Keyring
  /** Done once, when this process has decided and is about to write. */
  meanwhile: (() => Promise<unknown>) | undefined
}

function processOn(log: OpenLog): Process {
  const keyring = createKeyring({ log, logger: silentLogger })
  const made: Process = { keyring, meanwhile: undefined, bus: undefined as unknown as CommandBus }
  const queue = {
    async appendControl(append: Append) {
      const { meanwhile } = made
      made.meanwhile = undefined
      await meanwhile?.()
      return log.append(append)
    },
  }
  made.bus = createCommandBus({ log, queue, keyring, clock: systemClock, logger: silentLogger })
  return made
}

const refusedAs = (code: ErrorCode) => (error: unknown) => error instanceof Problem && error.code === code
const NOBODY = { actor: undefined }

for (const engine of ENGINES) {
  describe(`people at the same time, on ${engine.name}`, () => {
    let log: OpenLog
    let one: Process
    let two: Process
    let owner: { actor: string }

    beforeEach(async () => {
      log = await engine.open()
      one = processOn(log)
      two = processOn(log)
    })
    afterEach(() => log.close())

    const google = (name: string) => ({ googleId: name, email: `${name}@bakery.example`, emailVerified: true, sessionId: id(name) })
    const ownerIn = async (): Promise<void> => void (owner = { actor: (await one.bus.execute(signInOwner, {}, NOBODY)).accountId })

    async function linkTo(role: MemberRole, organisationId = FIRST_ORGANISATION): Promise<{ tokenHash: string; invitationId: string }> {
      const { tokenHash } = createInvitationToken()
      const { invitationId } = await one.bus.execute(inviteMember, { organisationId, role, tokenHash }, owner)
      return { tokenHash, invitationId }
    }

    async function member(name: string, role: MemberRole): Promise<{ actor: string }> {
      const { tokenHash: invitationHash } = await linkTo(role)
      return { actor: (await one.bus.execute(signInWithGoogle, { ...google(name), invitationHash }, NOBODY)).accountId }
    }

    const members = async (): Promise<string[]> => {
      await one.keyring.refresh()
      return [...one.keyring.state.membersOf(FIRST_ORGANISATION)].map(({ accountId }) => accountId)
    }

    it('of two who use one link, one comes in', async () => {
      await ownerIn()
      const { tokenHash: invitationHash } = await linkTo('viewer')
      let first = ''
      one.meanwhile = async () => (first = (await two.bus.execute(signInWithGoogle, { ...google('bob'), invitationHash }, NOBODY)).accountId)
      await assert.rejects(one.bus.execute(signInWithGoogle, { ...google('ann'), invitationHash }, NOBODY), refusedAs('invitation_ended'))
      assert.deepEqual(await members(), [owner.actor, first])
      assert.equal(one.keyring.state.accountByGoogleId('ann'), undefined)
    })

    it('a link that is taken back while somebody uses it lets nobody in', async () => {
      await ownerIn()
      const { organisationId } = await one.bus.execute(createOrganisation, { name: 'Mill' }, owner)
      const bob = await member('bob', 'viewer')
      const { tokenHash, invitationId } = await linkTo('admin', organisationId)
      one.meanwhile = () => two.bus.execute(revokeInvitation, { organisationId, invitationId }, owner)
      await assert.rejects(one.bus.execute(acceptInvitation, { tokenHash }, bob), refusedAs('invitation_ended'))
    })

    it('of two owners who leave at once, one stays', async () => {
      await ownerIn()
      const ann = await member('ann', 'owner')
      one.meanwhile = () => two.bus.execute(removeMember, { organisationId: FIRST_ORGANISATION, accountId: ann.actor }, ann)
      await assert.rejects(one.bus.execute(removeMember, { organisationId: FIRST_ORGANISATION, accountId: owner.actor }, owner), refusedAs('last_owner'))
      assert.deepEqual(await members(), [owner.actor])
    })

    it('nobody is granted an app, or hands one over, while they are removed', async () => {
      await ownerIn()
      const [ann, bob] = [await member('ann', 'owner'), await member('bob', 'guest')]
      const { appId } = await one.bus.execute(registerApp, { name: 'Bakery' }, ann)
      const remove = (accountId: string) => two.bus.execute(removeMember, { organisationId: FIRST_ORGANISATION, accountId }, owner)
      one.meanwhile = () => remove(bob.actor)
      await assert.rejects(one.bus.execute(grantApp, { appId, accountId: bob.actor, role: 'admin' }, ann), refusedAs('not_found'))
      const { organisationId } = await one.bus.execute(createOrganisation, { name: 'Mill' }, ann)
      one.meanwhile = () => remove(ann.actor)
      await assert.rejects(one.bus.execute(transferApp, { appId, organisationId }, ann), refusedAs('not_found'))
      assert.equal(one.keyring.state.app(appId)?.organisationId, FIRST_ORGANISATION)
    })

    it('the first owner is made once, by whichever way they come first', async () => {
      const ann = { ...google('ann'), ownerEmail: 'ann@bakery.example' }
      one.meanwhile = () => two.bus.execute(signInOwner, {}, NOBODY)
      assert.equal((await one.bus.execute(signInWithGoogle, ann, NOBODY)).accountId, OWNER_ID)
      assert.equal(one.keyring.state.accountByGoogleId('ann')?.accountId, OWNER_ID)
      assert.deepEqual(await members(), [OWNER_ID])
      assert.deepEqual((await log.readStream(0, `account:${OWNER_ID}`)).map(({ type }) => type), ['AccountCreated', 'SignedIn', 'AccountUpdated', 'SignedIn'])
    })

    it('one person who signs in twice at once has one account', async () => {
      await ownerIn()
      const { tokenHash: invitationHash } = await linkTo('viewer')
      const bob = { ...google('bob'), invitationHash }
      let first = ''
      one.meanwhile = async () => (first = (await two.bus.execute(signInWithGoogle, bob, NOBODY)).accountId)
      assert.equal((await one.bus.execute(signInWithGoogle, bob, NOBODY)).accountId, first)
      assert.deepEqual(await members(), [owner.actor, first])
    })
  })
}
