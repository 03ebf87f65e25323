// Holds answers against the OpenAPI document: a status, content type or body that it does not describe fails the test.
import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { openApiDocument } from '../../../src/http/openapi.ts'

interface Response {
  readonly content?: Readonly<Record<string, { readonly schema: Record<string, unknown> }>>
}

const document = openApiDocument()
const ajv = new Ajv2020({ strict: false, allErrors: true })
formats.default(ajv)
ajv.addSchema({ ...document, $id: 'openapi' })
const compiled = new Map<string, ValidateFunction>()

export const templates = Object.keys(document.paths)
  .map((template) => ({
    template,
    // Express takes a route in any case, and with a slash at its end.
    pattern: new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}/?$`, 'i'),
  }))
  // Fixed names before parameters: /projections/progress is no {name}.
  .sort((left, right) => left.template.split('{').length - right.template.split('{').length)

/** Throws when the document says otherwise. Paths and methods that it does not know must be refused. */
export function documented(
  method: string,
  path: string,
  told: { readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string; readonly body: unknown },
): void {
  const template = templates.find(({ pattern }) => pattern.test(path.split('?')[0]!))?.template
  const name = method === 'HEAD' ? 'get' : method.toLowerCase()
  const operation = template === undefined ? undefined : document.paths[template]?.[name]
  if (operation === undefined || told.status >= 400) {
    assert.ok(told.status >= 400 || method === 'OPTIONS' || path.startsWith('/api-docs/'), `${method} ${path} answered ${told.status} undocumented`)
    if (told.status >= 400 && method !== 'HEAD' && !isPage(path, template !== undefined, told)) problem(told)
    return
  }
  const response = (operation['responses'] as Record<string, Response>)[told.status]
  assert.ok(response !== undefined, `${method} ${template} answered ${told.status}, which is not documented`)
  const type = told.headers['content-type']?.split(';')[0]
  if (response.content === undefined || method === 'HEAD') return
  assert.ok(type !== undefined && type in response.content, `${method} ${template} answered ${type}, which is not documented`)
  if (!type.endsWith('json')) return
  const pointer = ['paths', template!, name, 'responses', String(told.status), 'content', type, 'schema'].map(part).join('/')
  valid(`openapi#/${pointer}`, told.body, `${method} ${path}`)
}

/** Where people come with a browser, problems are pages for them, whatever the method. */
function isPage(path: string, known: boolean, { headers }: { readonly headers: IncomingHttpHeaders }): boolean {
  return (!known || /^\/(auth\/google|invitations)(?![^/?])/i.test(path)) && headers['content-type'] === 'text/html; charset=utf-8'
}

function problem(told: { readonly headers: IncomingHttpHeaders; readonly body: unknown; readonly text: string }): void {
  assert.equal(told.headers['content-type'], 'application/problem+json', told.text)
  valid('openapi#/components/schemas/Problem', told.body, 'problem')
}

function valid(reference: string, body: unknown, what: string): void {
  let check = compiled.get(reference)
  if (check === undefined) compiled.set(reference, (check = ajv.compile({ $ref: reference })))
  assert.ok(check(body), `${what}: ${ajv.errorsText(check.errors)} in ${JSON.stringify(body).slice(0, 2_000)}`)
}

function part(name: string): string {
  return encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))
}
