// What is printed at the start: everything that a newcomer needs, and in production nothing that a log should not keep.
import assert from 'node:assert/strict'
import type { CommandBus } from '../../src/commands/commandBus.ts'
import { createOrganisation } from '../../src/commands/createOrganisation.ts'
import { createInvitationToken } from '../../src/commands/invitationToken.ts'
import { inviteMember } from '../../src/commands/inviteMember.ts'
import type { Keyring } from '../../src/commands/keyring.ts'
import { removeMember } from '../../src/commands/removeMember.ts'
import { signInOwner } from '../../src/commands/signInOwner.ts'
import { signInWithGoogle } from '../../src/commands/signInWithGoogle.ts'
import { readConfig } from '../../src/config.ts'
import { FIRST_ORGANISATION } from '../../src/events/organisations.ts'
import { firstRun } from '../../src/firstRun.ts'
import { startRecount } from '../../src/main.ts'
import { scratchDirectory } from '../support/scratch.ts'

async function printed(environment: string): Promise<{ text: string; apps: number }> {
  const directory = scratchDirectory('first')
  const env = { PORT: '0', DATA_DIR: directory, JWT_SECRET: 'x'.repeat(32), LOG_LEVEL: 'silent', NODE_ENV: environment, PARTITIONS: '1' }
  const config = readConfig(env)
  const recount = await startRecount(config)
  try {
    const text = await firstRun(recount, config)
    return { text, apps: [...recount.keyring.state.apps()].length }
  } finally {
    await recount.close()
  }
}

/** What two starts print, and what there is then, where people had come before. */
async function among<T>(people: (bus: CommandBus, keyring: Keyring) => Promise<() => T>): Promise<{ first: string; again: string; apps: T }> {
  const env = { PORT: '0', DATA_DIR: scratchDirectory('first'), JWT_SECRET: 'x'.repeat(32), LOG_LEVEL: 'silent', NODE_ENV: 'test', PARTITIONS: '1' }
  const config = readConfig(env)
  const recount = await startRecount(config)
  try {
    const apps = await people(recount.bus!, recount.keyring)
    const first = await firstRun(recount, config)
    return { first, again: await firstRun(recount, config), apps: apps() }
  } finally {
    await recount.close()
  }
}

describe('the first run', function () {
  this.timeout(30_000)

  it('shows the owner code and an event to send with a key that works', async () => {
    const { text, apps } = await printed('development')
    assert.match(text, /Owner code {8}\S{4}-\S{4}-\S{4}-\S{4}/)
    assert.match(text, /Authorization: Bearer rk_\w{32}/)
    assert.equal(apps, 1)
  })

  it('makes the first app in the first organisation as one of its owners, whoever that is by now, and no second one', async () => {
    const { first, again, apps } = await among(async (bus, keyring) => {
      const { accountId: actor } = await bus.execute(signInOwner, {}, { actor: undefined })
      // A second organisation of the same owner, and then an owner in place of the first.
      const { organisationId } = await bus.execute(createOrganisation, { name: 'Mill' }, { actor })
      const { tokenHash } = createInvitationToken()
      await bus.execute(inviteMember, { organisationId: FIRST_ORGANISATION, role: 'owner', tokenHash }, { actor })
      const ann = { googleId: '1', email: 'ann@bakery.example', emailVerified: true, sessionId: organisationId }
      const { accountId } = await bus.execute(signInWithGoogle, { ...ann, invitationHash: tokenHash }, { actor: undefined })
      await bus.execute(removeMember, { organisationId: FIRST_ORGANISATION, accountId: actor }, { actor: accountId })
      return () => [...keyring.state.apps()].map((app) => [app.name, app.organisationId, [...keyring.state.keysOf(app.appId)].map(({ issuedBy }) => issuedBy === accountId)])
    })
    assert.deepEqual(apps, [['My first app', FIRST_ORGANISATION, [true]]])
    assert.match(first, /Authorization: Bearer rk_\w{32}/)
    assert.equal(again, first)
  })

  it('prints no code, key or token in production, and makes no app unasked', async () => {
    const { text, apps } = await printed('production')
    assert.match(text, /^Recount is running at /)
    assert.doesNotMatch(text, /Bearer|Owner code|eyJ|rk_/)
    assert.equal(apps, 0)
  })
})
