// Definitions in builds: adopted at once by an app without events, filled by a rebuild of the app else, together with a new zone;
// a rebuild that is killed leaves the old rows as they are and is made up for; what is retired asks for no rebuild.
import assert from 'node:assert/strict'
import { type Definitions, definitionsStream, NO_DEFINITIONS } from '../../../src/events/definitions.ts'
import type { NewEvent } from '../../../src/events/eventLog.ts'
import { uuidv5, uuidv7 } from '../../../src/kernel/ids.ts'
import { readDefined } from '../../../src/projections/definitions/read.ts'
import { definitions } from '../../../src/projections/definitions/definitions.ts'
import type { Projection } from '../../../src/projections/projection.ts'
import { replay } from '../../../src/projections/replay.ts'
import { type Place, readPlace } from '../../../src/queries/place.ts'
import { eventually } from '../../support/eventually.ts'
import { append, appIn, ENGINES, LEASE_MS, many, openStage, settings, type Stage } from './stage.ts'

const PROJECTION = definitions as unknown as Projection

function said(appId: string, type: string, name: string, revision = 1, event = 'seen'): NewEvent {
  const definitionId = uuidv5(appId, name)
  const data = type === 'GoalRetired' ? { definitionId } : { definitionId, revision, spec: { name, event } }
  return { eventId: uuidv7(), appId, type, schemaVersion: 1, occurredAt: Date.now(), data: JSON.stringify(data), meta: null, stream: definitionsStream(appId) }
}

interface Seen extends Place {
  /** Of each goal that the rows were folded by: name, revision and events counted. */
  readonly goals: readonly (readonly [name: string, revision: number, events: number])[]
}

/** Rows and by what they were folded, of one snapshot. */
function seen({ database, log }: Stage, appId: string): Promise<Seen> {
  return database.snapshot(async (trx) => {
    const place = await readPlace(trx, PROJECTION.name, log.partitionOf(appId), appId)
    const goals: (readonly [string, number, number])[] = []
    for (const { definitionId, revision, spec } of place.defined.goals) {
      const cells = await readDefined({ trx, build: place.rowsBuild, appId }, { definitionId, revision }, { fromMs: 0, toMs: 1e15 }, [0, 1])
      goals.push([spec.name, revision, cells.reduce((sum, { events }) => sum + events, 0)])
    }
    return { ...place, goals }
  })
}

const foldedTo = (stage: Stage, appId: string, position: number): Promise<Seen> =>
  eventually(async () => {
    const now = await seen(stage, appId).catch(() => undefined)
    return now !== undefined && now.position >= position ? now : undefined
  })

async function wanted({ database }: Stage): Promise<number> {
  return (await database.knex('projection_apps').whereNotNull('wanted_position')).length
}

for (const engine of ENGINES) {
  describe(`definitions in builds on ${engine}`, function () {
    this.timeout(60_000)
    let stage: Stage
    let appId: string
    beforeEach(async () => {
      stage = await openStage(engine)
      appId = appIn(stage.log, 1)
    })
    afterEach(() => stage.close())

    const head = async (): Promise<number> => (await stage.log.head(1)).position
    const projected = (rebuilds: boolean): ReturnType<Stage['project']> => stage.project({ projections: [PROJECTION], rebuilds })

    it('are adopted at once by an app that has no events yet', async () => {
      await append(stage.log, [settings(appId, 'UTC'), said(appId, 'GoalDefined', 'A'), ...many(appId, 10)])
      projected(false)
      const now = await foldedTo(stage, appId, await head())
      assert.deepEqual([now.goals, now.rowsBuild, await wanted(stage)], [[['A', 1, 10]], 1, 0])
    })

    it('are filled by a rebuild that goes together with one of the zone, and a killed one is made up for', async () => {
      await append(stage.log, [settings(appId, 'UTC'), ...many(appId, 10)])
      const held = projected(false)
      await foldedTo(stage, appId, await head())
      await append(stage.log, [said(appId, 'GoalDefined', 'A'), settings(appId, 'Asia/Kathmandu'), ...many(appId, 5)])
      const before = await foldedTo(stage, appId, await head())
      assert.deepEqual([before.defined, before.timezone, await wanted(stage)], [NO_DEFINITIONS, 'UTC', 1])

      const kill = new AbortController()
      const dying: Projection = {
        ...PROJECTION,
        write: async (trx, build, state) => {
          await PROJECTION.write(trx, build, state)
          kill.abort(new Error('killed'))
        },
      }
      const { log, database } = stage
      await assert.rejects(replay({ log, database, projection: dying, appId, signal: kill.signal, leaseMs: LEASE_MS }), /killed/)
      const killed = await seen(stage, appId)
      assert.deepEqual([killed.defined, killed.timezone, killed.rowsBuild], [NO_DEFINITIONS, 'UTC', 1], 'nothing shows of it')
      await held.close()

      projected(true)
      const after = await eventually(async () => {
        const now = await seen(stage, appId)
        assert.equal(now.defined.goals.length === 1, now.timezone === 'Asia/Kathmandu', 'both or neither')
        return now.defined.goals.length === 1 ? now : undefined
      })
      assert.deepEqual([after.goals, await wanted(stage)], [[['A', 1, 15]], 0])
      await append(stage.log, many(appId, 5))
      assert.deepEqual((await foldedTo(stage, appId, await head())).goals, [['A', 1, 20]])
    })

    it('serve the old revision until the new one is filled, never a mix', async () => {
      await append(stage.log, [settings(appId, 'UTC'), said(appId, 'GoalDefined', 'A'), ...many(appId, 10)])
      projected(true)
      await foldedTo(stage, appId, await head())
      await append(stage.log, [said(appId, 'GoalRevised', 'A', 2, 'nothing of the kind'), said(appId, 'GoalDefined', 'B')])
      await eventually(async () => {
        const { goals } = await seen(stage, appId)
        const isOld = goals.length === 1
        assert.deepEqual(goals, isOld ? [['A', 1, 10]] : [['A', 2, 0], ['B', 1, 10]])
        return !isOld
      })
    })

    it('ask for no rebuild when one is retired, and a whole rebuild takes what is in force', async () => {
      await append(stage.log, [settings(appId, 'UTC'), said(appId, 'GoalDefined', 'A'), said(appId, 'GoalDefined', 'B'), ...many(appId, 10)])
      projected(true)
      await foldedTo(stage, appId, await head())
      await append(stage.log, [said(appId, 'GoalRetired', 'A'), ...many(appId, 1)])
      const retired = await foldedTo(stage, appId, await head())
      assert.deepEqual([retired.goals, retired.rowsBuild, await wanted(stage)], [[['A', 1, 11], ['B', 1, 11]], 1, 0])
      const { log, database } = stage
      await replay({ log, database, projection: PROJECTION, leaseMs: LEASE_MS })
      const rebuilt = await foldedTo(stage, appId, await head())
      assert.deepEqual([rebuilt.goals, await wanted(stage)], [[['B', 1, 11]], 0])
      const none: Definitions = { ...NO_DEFINITIONS, goals: rebuilt.defined.goals }
      assert.deepEqual(rebuilt.defined, none)
    })
  })
}
