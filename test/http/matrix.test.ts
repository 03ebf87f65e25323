// Every route against everybody who may come to it, generated from the OpenAPI document: nobody, broken and ended credentials,
// keys of every kind, each role, other organisations. A route that is added comes in by itself.
import assert from 'node:assert/strict'
import { type Fixture, startFixture } from './support/fixture.ts'
import { type Ask, askOf, faultsOf, type Operation, operations } from './support/matrixCheck.ts'
import { CREDENTIALS, headersOf, verdictFor } from './support/matrixCredentials.ts'
import { SAMPLES } from './support/matrixSamples.ts'
import { buildWorld, type World } from './support/matrixWorld.ts'

describe('who may use what', function () {
  this.timeout(120_000)
  let fixture: Fixture
  let world: World

  before(async () => {
    fixture = await startFixture({ TRUST_PROXY: '1' })
    world = await buildWorld(fixture)
  })
  after(() => fixture.close())

  for (const operation of operations()) {
    const { name, method, path, access } = operation
    it(`${method} ${path}: ${JSON.stringify(access)}`, async () => {
      const sample = SAMPLES.get(name)
      if (sample === undefined) assert.fail(`add ${name} to test/http/support/matrixSamples.ts: a request that asks for what is there`)
      const faults = await faultsOf(world, operation, sample)
      if (faults.length > 0) assert.fail(faults.join('\n'))
    })
  }

  // One route of each kind of access, asked by something that does not tell callers apart.
  const cheap = [...operations()].sort((left, right) => Number(left.method === 'GET') - Number(right.method === 'GET'))
  const kinds = new Map(cheap.map((operation) => [JSON.stringify(operation.access), operation]))
  const misjudged = async (operation: Operation, ask: Ask): Promise<readonly [found: number, refused: number]> => {
    const found = await faultsOf(world, operation, SAMPLES.get(operation.name)!, ask)
    const refused = CREDENTIALS.filter((credential) => verdictFor(operation.access, credential, operation.method !== 'GET') !== 'ok')
    return [found.length, refused.length]
  }

  it('finds a route that lets everybody in, one that lets nobody in, and one that refuses too late', async () => {
    const ask = askOf(world)
    for (const [kind, operation] of kinds) {
      if (operation.access === 'open') continue
      const mighty = CREDENTIALS.find((credential) => verdictFor(operation.access, credential, true) === 'ok')!
      const open: Ask = async (asked, stream) => ask({ ...asked, headers: { 'x-forwarded-for': '203.0.113.9', ...(await headersOf(world, mighty, operation.access)) } }, stream)
      const [found, refused] = await misjudged(operation, open)
      assert.ok(found === refused && refused > 0, `open to everybody: ${kind}, ${found} of ${refused}`)
    }
    const me = operations().find(({ name }) => name === 'me')!
    const [shut, refused] = await misjudged(me, (asked, stream) => ask({ ...asked, headers: {} }, stream))
    assert.ok(shut >= CREDENTIALS.length - refused, 'shut for everybody')
    const register = operations().find(({ name }) => name === 'registerApp')!
    const late: Ask = async (asked, stream) => {
      const told = await ask({ ...asked, headers: await headersOf(world, CREDENTIALS.find(({ name }) => name === 'an owner')!, register.access) }, stream)
      return { ...told, status: 404, body: { code: 'not_found' } }
    }
    const faults = await faultsOf(world, register, SAMPLES.get('registerApp')!, late)
    assert.ok(faults.includes('an owner of another organisation: was refused, but the log has grown'), faults.join('\n'))
  })

  it('has no sample of a route that is gone', () => {
    const names = new Set(operations().map(({ name }) => name))
    assert.deepEqual([...SAMPLES.keys()].filter((name) => !names.has(name)), [])
  })
})
