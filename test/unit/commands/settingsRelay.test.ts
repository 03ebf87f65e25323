import assert from 'node:assert/strict'
import { createCommandBus } from '../../../src/commands/bus.ts'
import { createOrganisation } from '../../../src/commands/createOrganisation.ts'
import { deleteApp } from '../../../src/commands/deleteApp.ts'
import { createKeyring } from '../../../src/commands/foldedKeyring.ts'
import { grantApp } from '../../../src/commands/grantApp.ts'
import { registerApp } from '../../../src/commands/registerApp.ts'
import { createSettingsRelay, type SettingsRelay } from '../../../src/commands/settingsRelay.ts'
import { signInOwner } from '../../../src/commands/signInOwner.ts'
import { transferApp } from '../../../src/commands/transferApp.ts'
import { updateApp } from '../../../src/commands/updateApp.ts'
import { appSettingsApplied } from '../../../src/events/appSettingsApplied.ts'
import type { StoredEvent } from '../../../src/events/eventLog.ts'
import { systemClock } from '../../../src/kernel/clock.ts'
import { uuidv5 } from '../../../src/kernel/ids.ts'
import { silentLogger } from '../../../src/kernel/logger.ts'
import { compile } from '../../../src/kernel/validation.ts'
import { ENGINES, type OpenLog } from './engines.ts'

for (const engine of ENGINES) {
  describe(`settings relay on ${engine.name}`, () => {
    let log: OpenLog
    let relay: SettingsRelay
    let stops: (() => Promise<void>)[]
    let run: ReturnType<typeof commands>

    function commands(on: OpenLog) {
      const keyring = createKeyring({ log: on, logger: silentLogger })
      const queue = { appendControl: on.append.bind(on) }
      const bus = createCommandBus({ log: on, queue, keyring, clock: systemClock, logger: silentLogger })
      let actor: string | undefined
      return {
        keyring,
        async register(): Promise<string> {
          actor ??= (await bus.execute(signInOwner, {}, { actor })).accountId
          return (await bus.execute(registerApp, { name: 'Bakery', timezone: 'Europe/Berlin' }, { actor })).appId
        },
        update: (appId: string, change: object) => bus.execute(updateApp, { appId, ...change }, { actor }),
        remove: (appId: string) => bus.execute(deleteApp, { appId }, { actor }),
        grant: (appId: string) => bus.execute(grantApp, { appId, accountId: actor!, role: 'viewer' }, { actor }),
        async transfer(appId: string): Promise<void> {
          const { organisationId } = await bus.execute(createOrganisation, { name: 'Mill' }, { actor })
          await bus.execute(transferApp, { appId, organisationId }, { actor })
        },
      }
    }

    const settingsOf = (appId: string): Promise<StoredEvent[]> => log.readStream(log.partitionOf(appId), `settings:${appId}`)
    const relayed = async (appId: string): Promise<unknown[]> =>
      (await settingsOf(appId)).map((event): unknown => JSON.parse(event.data!))

    async function until(condition: () => Promise<boolean>): Promise<void> {
      while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5))
    }

    beforeEach(async () => {
      log = await engine.open()
      stops = []
      run = commands(log)
      await run.keyring.start()
      stops.push(() => run.keyring.stop())
      relay = createSettingsRelay({ log, keyring: run.keyring, logger: silentLogger })
      stops.push(() => relay.stop())
    })
    afterEach(async () => {
      for (const stop of stops.reverse()) await stop()
      await log.close()
    })

    it('repeats settings in the app’s own partition, each change of them once', async () => {
      const appId = await run.register()
      await relay.apply(appId)
      await run.update(appId, { name: 'Only the name' })
      await run.update(appId, { ip: 'none' })
      await relay.apply(appId)
      await run.remove(appId)
      await relay.apply(appId)
      await relay.apply(appId)
      const berlin = { timezone: 'Europe/Berlin', ip: 'truncate', keepQuery: [] }
      assert.deepEqual(await relayed(appId), [berlin, { ...berlin, ip: 'none' }, { ...berlin, ip: 'none', deleted: true }])
      for (const data of await relayed(appId)) assert.deepEqual(compile(appSettingsApplied.schema)(data), [])
    })

    it('goes on through grants and a transfer, which change no settings, to the end of the app', async () => {
      const appId = await run.register()
      await run.grant(appId)
      await relay.apply(appId)
      await run.transfer(appId)
      await run.update(appId, { ip: 'full' })
      await relay.apply(appId)
      await run.remove(appId)
      await relay.apply(appId)
      const told = (await relayed(appId)) as { ip: string; deleted?: boolean }[]
      assert.deepEqual(told.map(({ ip, deleted }) => [ip, deleted]), [['truncate', undefined], ['full', undefined], ['full', true]])
    })

    it('derives ids from the control events, and says what caused each', async () => {
      const appId = await run.register()
      await relay.apply(appId)
      const [registered] = await log.readStream(0, `app:${appId}`)
      const [applied] = await settingsOf(appId)
      assert.equal(applied?.eventId, uuidv5(appId, `settings:${registered!.eventId}`))
      assert.deepEqual(JSON.parse(applied.meta!), { causedBy: registered!.eventId })
      assert.deepEqual([applied.appId, applied.partition, applied.streamVersion], [appId, log.partitionOf(appId), 1])
    })

    it('many at once write each thing once and in order', async () => {
      const appId = await run.register()
      const other = createSettingsRelay({ log, keyring: run.keyring, logger: silentLogger })
      const zones = ['Europe/Paris', 'Asia/Kathmandu', 'Pacific/Apia', 'UTC']
      const applying: Promise<void>[] = []
      for (const timezone of zones) {
        await run.update(appId, { timezone })
        applying.push(relay.apply(appId), other.apply(appId), relay.apply(appId))
      }
      await Promise.all(applying)
      const seen = (await relayed(appId)).map((data) => (data as { timezone: string }).timezone)
      assert.deepEqual(seen, ['Europe/Berlin', ...zones])
    })

    it('does nothing for an app that does not exist', async () => {
      await relay.apply('00000000-0000-5000-8000-000000000001')
      assert.deepEqual(await relayed('00000000-0000-5000-8000-000000000001'), [])
    })

    it('finds at its start what a process that was killed between the two writes left open', async () => {
      const appId = await run.register()
      assert.deepEqual(await relayed(appId), [])
      relay.start()
      await until(async () => (await relayed(appId)).length === 1)
    })

    it('follows later changes, also those of another process', async () => {
      relay.start()
      const other = commands(log)
      const appId = await other.register()
      await until(async () => (await relayed(appId)).length === 1)
      await other.remove(appId)
      await until(async () => (await relayed(appId)).length === 2)
    })

    it('an app that cannot be relayed holds up no other, and is tried again', async () => {
      const broken = await run.register()
      const fine = await run.register()
      let faulty = true
      const flaky = Object.assign(Object.create(log) as OpenLog, {
        append: (append: Parameters<OpenLog['append']>[0]) =>
          faulty && append.packs[0]!.events[0]!.appId === broken ? Promise.reject(engine.transientFault()) : log.append(append),
      })
      relay = createSettingsRelay({ log: flaky, keyring: run.keyring, logger: silentLogger })
      relay.start()
      await until(async () => (await relayed(fine)).length === 1)
      assert.deepEqual(await relayed(broken), [])
      faulty = false
      await until(async () => (await relayed(broken)).length === 1)
    })
  })
}
