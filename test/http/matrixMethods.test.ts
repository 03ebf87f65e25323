// What every path says to methods besides its own: HEAD is GET without a body, to whoever may; OPTIONS tells what there is,
// to anybody; the rest is 405, whoever asks.
import assert from 'node:assert/strict'
import { type Fixture, startFixture } from './support/fixture.ts'
import { askedOf, operations } from './support/matrixCheck.ts'
import { SAMPLES } from './support/matrixSamples.ts'
import { buildWorld, type World } from './support/matrixWorld.ts'
import { tokenOf } from './support/people.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE']

describe('methods', function () {
  this.timeout(120_000)
  let fixture: Fixture
  let world: World

  before(async () => {
    fixture = await startFixture()
    world = await buildWorld(fixture)
  })
  after(() => fixture.close())

  for (const path of new Set(operations().map((operation) => operation.path))) {
    const known = operations().filter((operation) => operation.path === path)
    it(`${path} takes ${known.map(({ method }) => method).join(', ')} and says so`, async () => {
      const allow = known.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
      const call = await SAMPLES.get(known[0]!.name)!.call(world)
      const asked = { path: askedOf({ method: 'OPTIONS', path }, { params: call.params ?? {} }).path }
      const options = await fixture.ask({ ...asked, method: 'OPTIONS' })
      assert.equal(options.status, 204)
      assert.deepEqual(options.headers.allow!.split(', ').sort(), [...allow, 'OPTIONS'].sort())
      for (const method of METHODS.filter((one) => !allow.includes(one))) {
        const told = await fixture.ask({ ...asked, method, token: tokenOf(fixture, world.people.owner) })
        assert.equal(`${told.status} ${String(told.body['code'])}`, '405 method_not_allowed', method)
        assert.equal(told.headers.allow, options.headers.allow)
      }
    })
  }

  for (const { name, method, path, access } of operations()) {
    if (method !== 'GET') continue
    it(`HEAD ${path}: answers like GET, without a body`, async () => {
      const sample = SAMPLES.get(name)!
      const asked = { ...askedOf({ method: 'HEAD', path }, await sample.call(world)), method: 'HEAD' }
      const token = tokenOf(fixture, access === 'operator' ? world.people.operator : world.people.owner)
      const told = await fixture.ask({ ...asked, token })
      assert.equal(told.text, '')
      assert.ok(told.status < 300 || sample.answers !== undefined, `${told.status}`)
      if (sample.stream !== true) assert.equal(told.headers['content-type'], (await fixture.ask({ ...asked, method: 'GET', token })).headers['content-type'])
      const refused = await fixture.ask(asked)
      assert.equal(refused.status, access === 'open' || access === 'metrics' ? told.status : 401)
      assert.equal(refused.text, '')
    })
  }
})
