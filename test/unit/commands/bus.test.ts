import assert from 'node:assert/strict'
import { createCommandBus } from '../../../src/commands/bus.ts'
import type { CommandBus } from '../../../src/commands/commandBus.ts'
import { deleteApp } from '../../../src/commands/deleteApp.ts'
import { type Epoch, localEpoch } from '../../../src/commands/epoch.ts'
import { createKeyring } from '../../../src/commands/foldedKeyring.ts'
import { issueApiKey } from '../../../src/commands/issueApiKey.ts'
import type { Keyring } from '../../../src/commands/keyring.ts'
import { registerApp } from '../../../src/commands/registerApp.ts'
import { revokeApiKey } from '../../../src/commands/revokeApiKey.ts'
import { rotateApiKey } from '../../../src/commands/rotateApiKey.ts'
import { signInOwner } from '../../../src/commands/signInOwner.ts'
import { updateApp } from '../../../src/commands/updateApp.ts'
import { createWriteKey } from '../../../src/commands/writeKey.ts'
import { type ErrorCode, Problem } from '../../../src/errors.ts'
import { type Append, type EventLog, VersionConflict } from '../../../src/events/eventLog.ts'
import { systemClock } from '../../../src/kernel/clock.ts'
import { uuidv5, uuidv7 } from '../../../src/kernel/ids.ts'
import { silentLogger } from '../../../src/kernel/logger.ts'
import { LIMITS } from '../../../src/limits.ts'
import { ENGINES, type OpenLog } from './engines.ts'

interface Process {
  bus: CommandBus
  keyring: Keyring
  /** Called before each append, and in its place when it throws. */
  before: (append: Append) => Promise<void>
}

/** One process: its own keyring and bus on a shared log. */
function processOn(log: EventLog | OpenLog, epoch?: Epoch): Process {
  const keyring = createKeyring({ log, logger: silentLogger })
  const made: Process = { keyring, before: () => Promise.resolve(), bus: undefined as unknown as CommandBus }
  const queue = {
    async appendControl(append: Append) {
      await made.before(append)
      return log.append(append)
    },
  }
  made.bus = createCommandBus({ log, queue, keyring, clock: systemClock, logger: silentLogger, ...(epoch === undefined ? {} : { epoch }) })
  return made
}

const refusedAs = (code: ErrorCode) => (error: unknown) => error instanceof Problem && error.code === code

for (const engine of ENGINES) {
  describe(`command bus on ${engine.name}`, () => {
    let log: OpenLog
    let one: Process
    let two: Process
    let owner: { actor: string }
    let appId: string

    beforeEach(async () => {
      log = await engine.open()
      one = processOn(log)
      two = processOn(log)
      owner = { actor: (await one.bus.execute(signInOwner, {}, { actor: undefined })).accountId }
      appId = (await one.bus.execute(registerApp, { name: 'Bakery' }, owner)).appId
    })
    afterEach(() => log.close())

    const positions = async (): Promise<number> => (await log.read(0, 0, 1_000)).length
    const issue = (by: object = {}) => one.bus.execute(issueApiKey, { appId }, { ...owner, secret: createWriteKey(), ...by })

    it('answers when its own process has folded what it did', async () => {
      const secret = createWriteKey()
      const { keyId, eventIds, repeated } = await issue({ secret })
      assert.equal(one.keyring.state.keyByHash(secret.writeKeyHash)?.keyId, keyId)
      assert.deepEqual([eventIds.length, repeated], [1, undefined])
      const last = (await log.read(0, 0, 100)).at(-1)!
      assert.deepEqual([last.type, last.eventId, last.stream, last.streamVersion], ['ApiKeyIssued', eventIds[0], `key:${keyId}`, 1])
      assert.ok(!JSON.stringify(last).includes(secret.writeKey), 'the secret itself is nowhere in the log')
    })

    it('derives the ids of events from the id of the command', async () => {
      const commandId = uuidv7()
      const { keyId } = await issue()
      const { eventIds } = await one.bus.execute(rotateApiKey, { keyId }, { ...owner, commandId, secret: createWriteKey() })
      assert.deepEqual(eventIds, [uuidv5(commandId, '0'), uuidv5(commandId, '1')])
    })

    it('decides again on what another process did meanwhile', async () => {
      one.before = async () => {
        one.before = () => Promise.resolve()
        await two.bus.execute(updateApp, { appId, timezone: 'Europe/Paris' }, owner)
      }
      await one.bus.execute(updateApp, { appId, timezone: 'Europe/Paris', name: 'Bread' }, owner)
      const { name, settings } = one.keyring.state.app(appId)!
      assert.deepEqual([name, settings.timezone], ['Bread', 'Europe/Paris'])
      const last = (await log.read(0, 0, 100)).at(-1)!
      assert.deepEqual(JSON.parse(last.data!), { appId, name: 'Bread' }, 'the zone was there already when it decided again')
    })

    it('a key is not issued for an app that is deleted between decision and commit', async () => {
      one.before = async () => {
        one.before = () => Promise.resolve()
        await two.bus.execute(deleteApp, { appId }, owner)
      }
      await assert.rejects(issue(), refusedAs('not_found'))
      assert.deepEqual([...one.keyring.state.keysOf(appId)], [])
    })

    it('gives up after a bounded number of conflicts', async () => {
      let tries = 0
      one.before = () => {
        tries += 1
        throw new VersionConflict(`app:${appId}`, 1, 2)
      }
      await assert.rejects(one.bus.execute(updateApp, { appId, name: 'X' }, owner), refusedAs('conflict'))
      assert.equal(tries, LIMITS.commandAttempts)
    })

    it('answers a retried command as the first time, from any process, and writes nothing', async () => {
      const commandId = uuidv7()
      const first = await one.bus.execute(deleteApp, { appId }, { ...owner, commandId })
      const before = await positions()
      for (const { bus } of [one, two, processOn(log)]) {
        assert.deepEqual(await bus.execute(deleteApp, { appId }, { ...owner, commandId }), { ...first, repeated: true })
      }
      assert.equal(await positions(), before)
    })

    it('answers a retry whose first answer got lost after the commit', async () => {
      const commandId = uuidv7()
      one.before = async (append) => {
        one.before = () => Promise.resolve()
        await log.append(append)
        throw new VersionConflict(`app:${appId}`, 1, 2)
      }
      const { repeated } = await one.bus.execute(updateApp, { appId, name: 'Bread' }, { ...owner, commandId })
      assert.equal(repeated, undefined, 'it was this very execution that committed')
      assert.equal(await positions(), 4)
    })

    it('refuses the id of another command and of another account', async () => {
      const commandId = uuidv7()
      await one.bus.execute(updateApp, { appId, name: 'Bread' }, { ...owner, commandId })
      await assert.rejects(one.bus.execute(deleteApp, { appId }, { ...owner, commandId }), refusedAs('conflict'))
      await assert.rejects(two.bus.execute(updateApp, { appId, name: 'X' }, { actor: uuidv7(), commandId }), refusedAs('conflict'))
      await assert.rejects(one.bus.execute(deleteApp, { appId }, { ...owner, commandId: 'x' }), refusedAs('invalid_parameter'))
    })

    it('two processes with the same command do it once', async () => {
      const commandId = uuidv7()
      const before = await positions()
      const run = ({ bus }: Process) => bus.execute(registerApp, { name: 'Twin' }, { ...owner, commandId })
      const answers = await Promise.all([run(one), run(two), run(one), run(two)])
      assert.equal(new Set(answers.map((answer) => answer.appId)).size, 1)
      assert.equal(answers.filter((answer) => answer.repeated !== true).length, 1)
      assert.equal(await positions(), before + 1)
    })

    it('of many that rotate one key at once, one does', async () => {
      const { keyId } = await issue()
      const rotate = ({ bus }: Process) => bus.execute(rotateApiKey, { keyId }, { ...owner, secret: createWriteKey() })
      const outcomes = await Promise.allSettled([one, two, one, two].map(rotate))
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
      for (const outcome of outcomes) if (outcome.status === 'rejected') assert.ok(refusedAs('already_replaced')(outcome.reason), String(outcome.reason))
      assert.equal([...one.keyring.state.keysOf(appId)].length, 2)
    })

    it('two first sign-ins at once make one owner', async () => {
      const empty = await engine.open()
      try {
        const enter = () => processOn(empty).bus.execute(signInOwner, {}, { actor: undefined })
        const answers = await Promise.all([enter(), enter(), enter()])
        assert.equal(new Set(answers.map(({ accountId }) => accountId)).size, 1)
        const types = (await empty.read(0, 0, 100)).map(({ type }) => type)
        assert.deepEqual(types.sort(), ['AccountCreated', 'SignedIn', 'SignedIn', 'SignedIn'])
      } finally {
        await empty.close()
      }
    })

    it('refuses an input that its schema does not allow, before anything else', async () => {
      const before = await positions()
      await assert.rejects(one.bus.execute(registerApp, { name: '', colour: 'red' } as never, owner), (error) => {
        assert.ok(refusedAs('invalid_body')(error))
        assert.deepEqual((error as Problem).errors?.map(({ path }) => path).sort(), ['/colour', '/name'])
        return true
      })
      assert.equal(await positions(), before)
    })

    it('announces after the commit and before the answer, also for a key that is dead already', async () => {
      const { keyId } = await issue()
      const seen: number[] = []
      const epoch = { ...localEpoch(), announce: (position: number) => Promise.resolve(void seen.push(position)) }
      const { bus } = processOn(log, epoch)
      const first = await bus.execute(revokeApiKey, { keyId }, owner)
      const at = (await log.read(0, 0, 100)).find(({ type }) => type === 'ApiKeyRevoked')!.position
      assert.deepEqual(seen, [at])
      const again = await bus.execute(revokeApiKey, { keyId }, owner)
      assert.deepEqual(seen, [at, at])
      assert.deepEqual([again.keyId, again.eventIds, first.eventIds.length], [keyId, [], 1])
      await bus.execute(updateApp, { appId, ip: 'none' }, owner)
      assert.deepEqual(seen, [at, at, at + 1])
      await bus.execute(registerApp, { name: 'Other' }, owner)
      assert.equal(seen.length, 3, 'what takes nothing away leaves the epoch alone')
    })

    it('answers although it cannot announce: what was taken away is in the log', async () => {
      const { keyId } = await issue()
      const { bus } = processOn(log, { ...localEpoch(), announce: () => Promise.reject(new Error('Redis is down')) })
      assert.equal((await bus.execute(revokeApiKey, { keyId }, owner)).keyId, keyId)
    })

    it('a store that is down is `unavailable`, with a time to come back', async () => {
      one.before = () => {
        throw engine.transientFault()
      }
      await assert.rejects(issue(), (error) => refusedAs('unavailable')(error) && (error as Problem).retryAfterSeconds === 1)
      one.before = () => {
        throw new TypeError('a defect')
      }
      await assert.rejects(issue(), TypeError)
    })
  })
}
