// The OpenAPI document is valid, describes exactly the routes that are served, and shows the very schemas that are checked.
import assert from 'node:assert/strict'
import { Validator } from '@seriousme/openapi-schema-validator'
import type { Express } from 'express'
import { eventInputSchema } from '../../src/commands/eventInput.ts'
import { registerApp } from '../../src/commands/registerApp.ts'
import { accessInWords, accessOf, securityOf } from '../../src/http/access.ts'
import { createApp } from '../../src/http/app.ts'
import { COMPONENTS } from '../../src/http/components.ts'
import { openApiDocument } from '../../src/http/openapi.ts'
import { isCollect } from '../../src/http/routes/collect.ts'
import { fakeDeps } from './support/fakeDeps.ts'

interface Layer {
  readonly route?: { readonly path: string; readonly stack: readonly { readonly method?: string }[] }
  readonly handle?: { readonly stack?: readonly Layer[] }
}

function served(app: Express): string[] {
  const found: string[] = []
  const visit = (layers: readonly Layer[]): void => {
    for (const { route, handle } of layers) {
      for (const { method } of route?.stack ?? []) {
        if (method !== undefined) found.push(`${method} ${route!.path.replaceAll(/:(\w+)/g, '{$1}')}`)
      }
      visit(handle?.stack ?? [])
    }
  }
  visit((app as unknown as { router: { stack: readonly Layer[] } }).router.stack)
  return [...new Set(found)]
}

describe('the OpenAPI document', () => {
  const document = openApiDocument()

  it('is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(document)) as Record<string, unknown>)
    assert.ok(valid, JSON.stringify(errors))
  })

  it('describes the routes that Express and the fast path serve, all of them and no other', () => {
    const { express } = createApp(fakeDeps(), { resolve: () => Promise.reject(new Error('not asked')) })
    assert.ok(isCollect('/collect'))
    const described = Object.entries(document.paths).flatMap(([path, item]) => Object.keys(item).map((method) => `${method} ${path}`))
    assert.deepEqual(described.sort(), [...served(express), 'post /collect'].sort())
  })

  it('names every operation once, gives it a tag, and lists each path parameter', () => {
    const ids = new Set<unknown>()
    for (const [path, item] of Object.entries(document.paths)) {
      for (const operation of Object.values(item)) {
        assert.ok(!ids.has(operation['operationId']), path)
        ids.add(operation['operationId'])
        assert.equal((operation['tags'] as unknown[]).length, 1)
        const parameters = (operation['parameters'] ?? []) as { name: string; in: string; required: boolean }[]
        const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
        assert.deepEqual(parameters.filter((one) => one.in === 'path').map(({ name }) => name), inPath)
        assert.ok(parameters.every((one) => one.in !== 'path' || one.required))
      }
    }
  })

  it('has the schemas that are checked for components, and no reference that leads nowhere', () => {
    assert.equal(COMPONENTS.Event, eventInputSchema)
    assert.equal(COMPONENTS.RegisterApp, registerApp.schema)
    const text = JSON.stringify(document)
    const names = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name!)
    assert.ok(names.length > 20)
    for (const name of names) assert.ok(name in COMPONENTS, name)
    assert.ok(!text.includes('x-query-schema') && !text.includes('"nullable"'))
  })

  it('says where a body may be left out', () => {
    const optional = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).filter(([, { requestBody }]) => requestBody !== undefined && !(requestBody as { required: boolean }).required).map(([method]) => `${method} ${path}`),
    )
    for (const name of ['post /auth/refresh', 'post /auth/sign-out']) assert.ok(optional.includes(name), name)
    for (const name of ['post /collect', 'post /auth/local', 'post /auth/register', 'patch /apps/{appId}', 'patch /organisations/{organisationId}']) assert.ok(!optional.includes(name), name)
  })

  it('says who may use each route, in words too, and leaves open only what is meant to be', () => {
    const open: string[] = []
    for (const [path, item] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(item)) {
        const access = accessOf(operation)
        assert.ok((operation['description'] as string).endsWith(accessInWords(access)), path)
        assert.equal(operation['security'] === undefined, access === 'open', path)
        if (access === 'open') open.push(`${method} ${path}`)
      }
    }
    assert.deepEqual(open.sort(), [
      ...['get /', 'get /api-docs', 'get /auth/google', 'get /auth/google/callback', 'get /health/live', 'get /health/ready', 'get /invitations/{token}'],
      ...['get /openapi.json', 'post /auth/exchange', 'post /auth/local', 'post /auth/refresh'],
    ])
  })

  it('takes no other form of x-access', () => {
    const wrong = [undefined, null, 'anybody', [], {}, { app: 'guest' }, { app: 'viewer', scope: 'all' }, { organisation: 'nobody' }, { organisation: 'admin', app: 'admin' }, { role: 'admin' }]
    for (const said of wrong) assert.throws(() => accessOf({ operationId: 'someRoute', 'x-access': said }), /^Problem: someRoute: x-access is /, JSON.stringify(said))
    const right = ['open', 'user', 'operator', 'metrics', { app: 'owner' }, { app: 'viewer', scope: 'query' }, { scope: 'collect' }, { organisation: 'guest' }]
    for (const said of right) assert.deepEqual(accessOf({ 'x-access': said }), said)
  })

  it('derives from it which credentials a route takes', () => {
    const person = [{ userToken: [] }, { userCookie: [] }]
    assert.deepEqual(securityOf({ app: 'admin' }), person)
    assert.deepEqual(securityOf({ app: 'viewer', scope: 'query' }), [...person, { analyticsToken: [] }, { apiKey: [] }])
    assert.deepEqual(securityOf({ scope: 'collect' }), [{ analyticsToken: [] }, { apiKey: [] }, { writeKey: [] }])
    assert.deepEqual(document.paths['/collect']!['post']!['security'], securityOf({ scope: 'collect' }))
  })
})
