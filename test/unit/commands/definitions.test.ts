// Definitions decided and folded without a store; and the bus of an app's own commands on both small logs.
import assert from 'node:assert/strict'
import { createAppBus } from '../../../src/commands/appBus.ts'
import type { AppCommandBus } from '../../../src/commands/appCommand.ts'
import { defineDimension } from '../../../src/commands/defineDimension.ts'
import { defineGoal } from '../../../src/commands/defineGoal.ts'
import { retireDefinition } from '../../../src/commands/retireDefinition.ts'
import { reviseDefinition } from '../../../src/commands/reviseDefinition.ts'
import { type ErrorCode, Problem } from '../../../src/errors.ts'
import { decode } from '../../../src/events/catalogue.ts'
import { covers, definitionHistory, type Definitions, definitionsStream, foldDefinitions, NO_DEFINITIONS } from '../../../src/events/definitions.ts'
import type { Append } from '../../../src/events/eventLog.ts'
import { VersionConflict } from '../../../src/events/eventLog.ts'
import { systemClock } from '../../../src/kernel/clock.ts'
import { uuidv5, uuidv7 } from '../../../src/kernel/ids.ts'
import { silentLogger } from '../../../src/kernel/logger.ts'
import { LIMITS } from '../../../src/limits.ts'
import { ENGINES, type OpenLog } from './engines.ts'
import { ALICE, APP, COMMAND, id, MALLORY, NOW } from './given.ts'

const refusedAs = (code: ErrorCode) => (error: unknown) => error instanceof Problem && error.code === code
const CONTEXT = { commandId: COMMAND, now: NOW, actor: ALICE }
const GOAL = { name: 'Purchase', event: 'purchase' }
const goalInForce = (name: string, revision = 1): Definitions => ({ ...NO_DEFINITIONS, goals: [{ definitionId: id(name), kind: 'goal', revision, spec: { ...GOAL, name } }] })

describe('commands about definitions', () => {
  it('keep the name without blanks around it and begin at revision 1', () => {
    const { events, result } = defineGoal.decide(NO_DEFINITIONS, APP, { ...GOAL, name: '  Purchase ' }, CONTEXT)
    const definitionId = uuidv5(COMMAND, 'definition')
    assert.deepEqual(events.map(({ type, stream, data }) => [type.type, stream, data]), [['GoalDefined', definitionsStream(APP), { definitionId, revision: 1, spec: GOAL }]])
    assert.deepEqual(result, { definitionId, kind: 'goal', revision: 1 })
  })

  it('allow a name once per kind', () => {
    const state: Definitions = { ...goalInForce('plan'), dimensions: [] }
    assert.throws(() => defineGoal.decide(state, APP, { ...GOAL, name: 'plan' }, CONTEXT), refusedAs('already_defined'))
    assert.equal(defineDimension.decide(state, APP, { key: 'plan' }, CONTEXT).events.length, 1)
    const both: Definitions = { ...state, goals: [...state.goals, ...goalInForce('other').goals] }
    const rename = { definitionId: id('other'), changes: { name: 'plan' } }
    assert.throws(() => reviseDefinition.decide(both, APP, rename, CONTEXT), refusedAs('already_defined'))
  })

  it('bound how many there are', () => {
    const goals = Array.from({ length: LIMITS.definitionsPerApp }, (_, at) => goalInForce(`goal ${at}`).goals[0]!)
    assert.throws(() => defineDimension.decide({ ...NO_DEFINITIONS, goals }, APP, { key: 'plan' }, CONTEXT), refusedAs('limit_reached'))
    assert.equal(defineDimension.decide({ ...NO_DEFINITIONS, goals: goals.slice(1) }, APP, { key: 'plan' }, CONTEXT).events.length, 1)
  })

  it('change what is named, take away what is null, and write nothing for nothing', () => {
    const spec = { ...GOAL, filter: 'metadata.plan is pro', value: 'value' }
    const state: Definitions = { ...NO_DEFINITIONS, goals: [{ definitionId: id('goal'), kind: 'goal', revision: 3, spec }] }
    const revise = (changes: Record<string, unknown>, expectedRevision?: number) =>
      reviseDefinition.decide(state, APP, { definitionId: id('goal'), changes, ...(expectedRevision === undefined ? {} : { expectedRevision }) }, CONTEXT)
    assert.deepEqual(revise({ filter: null, event: 'order' }, 3).events[0]!.data, { definitionId: id('goal'), revision: 4, spec: { name: 'Purchase', event: 'order', value: 'value' } })
    assert.deepEqual(revise({ event: 'purchase' }).events, [])
    assert.throws(() => revise({ event: 'order' }, 2), refusedAs('conflict'))
    assert.throws(() => revise({ event: null }), refusedAs('invalid_body'), 'neither event nor page')
    assert.throws(() => revise({ measures: [] }), refusedAs('invalid_body'), 'not of a goal')
    assert.throws(() => revise({ filter: 'source is "x"' }), refusedAs('unsupported_dimension'))
  })

  it('retire only what is in force', () => {
    assert.equal(retireDefinition.decide(goalInForce('goal'), APP, { definitionId: id('goal') }, CONTEXT).events[0]!.type.type, 'GoalRetired')
    assert.throws(() => retireDefinition.decide(NO_DEFINITIONS, APP, { definitionId: id('goal') }, CONTEXT), refusedAs('not_found'))
  })
})

describe('what rows cover', () => {
  it('is what is in force, by revision; what is retired since does not matter', () => {
    assert.ok(covers(goalInForce('goal'), NO_DEFINITIONS))
    assert.ok(covers(goalInForce('goal'), goalInForce('goal')))
    assert.ok(!covers(goalInForce('goal'), goalInForce('goal', 2)))
    assert.ok(!covers(NO_DEFINITIONS, goalInForce('goal')))
  })
})

for (const engine of ENGINES) {
  describe(`the bus of an app's commands on ${engine.name}`, () => {
    let log: OpenLog
    let before: (append: Append) => Promise<void>
    let bus: AppCommandBus

    beforeEach(async () => {
      log = await engine.open()
      before = () => Promise.resolve()
      bus = createAppBus({ log: intercepted(), clock: systemClock, logger: silentLogger })
    })
    afterEach(() => log.close())

    const intercepted = () => ({
      append: async (append: Append) => {
        await before(append)
        return log.append(append)
      },
      readStream: log.readStream.bind(log),
      partitionOf: log.partitionOf.bind(log),
      classify: log.classify.bind(log),
      find: () => Promise.reject(new Error('not expected')),
      readAt: () => Promise.reject(new Error('not expected')),
    })
    const once = (step: () => Promise<unknown>): void => {
      before = async () => {
        before = () => Promise.resolve()
        await step()
      }
    }
    const history = async () => (await log.readStream(log.partitionOf(APP), definitionsStream(APP))).map(decode)
    const by = { actor: ALICE }

    it('writes to the partition of the app, and says who, when and what', async () => {
      const { definitionId } = await bus.execute(defineGoal, APP, GOAL, by)
      await bus.execute(reviseDefinition, APP, { definitionId, changes: { value: 'value' } }, { actor: MALLORY })
      await bus.execute(retireDefinition, APP, { definitionId }, by)
      const entries = definitionHistory(await history())
      assert.deepEqual(entries.map(({ change, revision, spec, actor }) => [change, revision, spec, actor]), [
        ['defined', 1, GOAL, ALICE],
        ['revised', 2, { ...GOAL, value: 'value' }, MALLORY],
        ['retired', 2, { ...GOAL, value: 'value' }, ALICE],
      ])
      assert.deepEqual(foldDefinitions(await history()), NO_DEFINITIONS)
    })

    it('answers a retried command as the first time, also after others, and writes nothing', async () => {
      const commandId = uuidv7()
      const first = await bus.execute(defineGoal, APP, GOAL, { ...by, commandId })
      await bus.execute(retireDefinition, APP, { definitionId: first.definitionId }, by)
      assert.deepEqual(await bus.execute(defineGoal, APP, GOAL, { ...by, commandId }), { ...first, repeated: true })
      assert.equal((await history()).length, 2)
      await assert.rejects(bus.execute(defineDimension, APP, { key: 'plan' }, { ...by, commandId }), refusedAs('conflict'))
      await assert.rejects(bus.execute(defineGoal, APP, GOAL, { actor: MALLORY, commandId }), refusedAs('conflict'))
    })

    it('decides again on what came between, and refuses what makes no sense then', async () => {
      once(() => bus.execute(defineGoal, APP, GOAL, by))
      await assert.rejects(bus.execute(defineGoal, APP, GOAL, by), refusedAs('already_defined'))
      once(() => bus.execute(defineDimension, APP, { key: 'plan' }, by))
      await bus.execute(defineGoal, APP, { ...GOAL, name: 'Other' }, by)
      assert.equal((await history()).length, 3)
    })

    it('does one command at the same time twice only once', async () => {
      const commandId = uuidv7()
      const answers = await Promise.all([1, 2, 3].map(() => bus.execute(defineGoal, APP, GOAL, { ...by, commandId })))
      assert.equal(new Set(answers.map(({ definitionId }) => definitionId)).size, 1)
      assert.equal((await history()).length, 1)
    })

    it('gives up after a bounded number of conflicts', async () => {
      let tries = 0
      before = () => {
        tries++
        throw new VersionConflict(definitionsStream(APP), 0, 1)
      }
      await assert.rejects(bus.execute(defineGoal, APP, GOAL, by), refusedAs('conflict'))
      assert.equal(tries, LIMITS.commandAttempts)
    })

    it('says `unavailable` while the store is away', async () => {
      before = () => Promise.reject(engine.transientFault())
      await assert.rejects(bus.execute(defineGoal, APP, GOAL, by), refusedAs('unavailable'))
    })
  })
}
