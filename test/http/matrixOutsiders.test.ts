// What belongs to others is not there: whoever asks for it is told, byte for byte, what they are told of something that never
// was. Generated from the OpenAPI document like the matrix, for every operation that names something.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { deleteApp } from '../../src/commands/deleteApp.ts'
import { type Fixture, startFixture, type Told } from './support/fixture.ts'
import { askedOf, type Operation, operations } from './support/matrixCheck.ts'
import { type Call, SAMPLES, sessionOf } from './support/matrixSamples.ts'
import { buildWorld, freshApp, type World } from './support/matrixWorld.ts'
import { tokenOf } from './support/people.ts'

const ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g

describe('what belongs to others', function () {
  this.timeout(120_000)
  let fixture: Fixture
  let world: World
  let deletedAppId: string

  before(async () => {
    fixture = await startFixture()
    world = await buildWorld(fixture)
    deletedAppId = await freshApp(world)
    await fixture.bus.execute(deleteApp, { appId: deletedAppId }, { actor: world.people.owner })
  })
  after(() => fixture.close())

  const ask = (operation: Operation, call: Call, token: string): Promise<Told> => fixture.ask({ ...askedOf(operation, call), token })

  /** The same with each id replaced, consistently. */
  const replaced = (call: Call, by: (id: string) => string): Call => {
    const known = new Map<string, string>()
    const text = JSON.stringify(call).replaceAll(ID, (id) => known.get(id) ?? known.set(id, by(id)).get(id)!)
    return JSON.parse(text) as Call
  }
  const mine = (id: string): string => ({ [world.home.appId]: world.rivals.appId, [world.home.organisationId]: world.rivals.organisationId })[id] ?? id

  /** Status, headers and body, but for what is never the same and the ids that were asked for. */
  const seen = ({ status, headers, text }: Told): string => JSON.stringify({ status, headers: { ...headers, date: undefined }, text: text.replaceAll(ID, '<id>') })

  const alike = async (operation: Operation, there: Call, token: string): Promise<void> => {
    const own = new Set([world.rivals.appId, world.rivals.organisationId])
    const never = replaced(there, (id) => (own.has(id) ? id : randomUUID()))
    const [first, second] = [await ask(operation, there, token), await ask(operation, never, token)]
    assert.ok(first.status >= 400 && first.status < 500, `${operation.name} answered ${first.status} ${first.text}`)
    assert.equal(seen(first), seen(second), operation.name)
  }

  for (const operation of operations()) {
    const { name, method, path, access } = operation
    if (typeof access === 'string' || (!('organisation' in access) && access.app === undefined)) continue

    it(`${method} ${path}: is not there for the owner of another organisation, nor for their key`, async () => {
      const call = await SAMPLES.get(name)!.call(world)
      assert.match(JSON.stringify(call), ID, 'the sample names nothing')
      await alike(operation, call, tokenOf(fixture, world.people.rival))
      if ('scope' in access) await alike(operation, call, world.keys.rival.token)
    })

    it(`${method} ${path}: nor is it under something of their own`, async () => {
      const call = replaced(await SAMPLES.get(name)!.call(world), mine)
      const left = (JSON.stringify(call).match(ID) ?? []).filter((id) => id !== world.rivals.appId && id !== world.rivals.organisationId)
      if (left.length > 0) await alike(operation, call, tokenOf(fixture, world.people.rival))
    })

    it(`${method} ${path}: an app that was deleted never was, for its owner too`, async () => {
      const call = await SAMPLES.get(name)!.call(world)
      const text = JSON.stringify(call)
      if (!text.includes(world.home.appId)) return
      const gone = JSON.parse(text.replaceAll(world.home.appId, deletedAppId)) as Call
      await alike(operation, gone, tokenOf(fixture, world.people.owner))
    })
  }

  it('an event or an app of others is not there where it is named beside one’s own', async () => {
    const { appId, organisationId } = world.rivals
    const token = tokenOf(fixture, world.people.rival)
    const find = (operationId: string): Operation => operations().find(({ name }) => name === operationId)!
    await alike(find('recount'), { body: { appId, question: 'overview', explain: { eventId: world.home.eventId } } }, token)
    await alike(find('inviteMember'), { params: { organisationId }, body: { role: 'guest', apps: [{ appId: world.home.appId, role: 'viewer' }] } }, token)
  })

  it('a session of others is not there', async () => {
    const endSession = operations().find(({ name }) => name === 'endSession')!
    await alike(endSession, { params: { sessionId: await sessionOf(fixture) } }, tokenOf(fixture, world.people.rival))
  })

  it('could tell, were there a difference', async () => {
    const overview = operations().find(({ name }) => name === 'overview')!
    const never = randomUUID()
    const call = { query: { appId: never } }
    const token = tokenOf(fixture, world.people.rival)
    const [wrong, right] = [await ask(overview, { query: { appId: never, period: 'nonsense' } }, token), await ask(overview, call, token)]
    assert.notEqual(seen(wrong), seen(right))
    assert.equal(seen(right), seen(await ask(overview, { query: { appId: randomUUID() } }, token)))
  })
})
