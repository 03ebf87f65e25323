// The OpenAPI document, made from the @openapi comments beside the routes; its components are the very schema objects that
// requests are checked against, and parameters are spelt out from those, so description and check cannot part ways. Who may
// is said once, in x-access: in words and as `security` it follows from that.
import { fileURLToPath } from 'node:url'
import swaggerJsdoc from 'swagger-jsdoc'
import { Problem } from '../errors.ts'
import { VERSION } from '../kernel/version.ts'
import { accessInWords, accessOf, securityOf } from './access.ts'
import { COMPONENTS } from './components.ts'
import { takesNothing } from './middleware/validate.ts'

interface Schema {
  readonly properties?: Readonly<Record<string, Record<string, unknown>>>
  readonly required?: readonly string[]
}

type Operation = Record<string, unknown>

export interface OpenApiDocument extends Record<string, unknown> {
  readonly paths: Record<string, Record<string, Operation>>
}

let document: OpenApiDocument | undefined

/** The document; made at the first call, and kept. */
export function openApiDocument(): OpenApiDocument {
  document ??= complete(written())
  return document
}

// The comments are in the .ts sources and, because tsc keeps them, in the .js that is built from them.
function written(): OpenApiDocument {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return swaggerJsdoc({
    failOnErrors: true,
    apis: [fileURLToPath(new URL(`./routes/*.${extension}`, import.meta.url))],
    definition: {
      openapi: '3.1.0',
      info: {
        title: 'Recount',
        version: VERSION,
        description: 'Analytics you can recount: every number is a fold over an append-only log of events.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/' }],
      tags: ['Events', 'Analytics', 'Definitions', 'Apps', 'Keys', 'Accounts', 'Organisations', 'Audit', 'Projections', 'Operations'].map((name) => ({ name })),
      components: { schemas: withNullTypes(COMPONENTS), securitySchemes: SECURITY },
    },
  }) as OpenApiDocument
}

const SECURITY = {
  userToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'From /auth/local' },
  userCookie: { type: 'apiKey', in: 'cookie', name: 'recount_user' },
  analyticsToken: { type: 'http', scheme: 'bearer', description: 'An analytics token; for /collect an rk_… key as well' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
  writeKey: { type: 'apiKey', in: 'query', name: 'key', description: 'A public write key (rk_…)' },
  metricsToken: { type: 'http', scheme: 'bearer' },
} as const

function complete(raw: OpenApiDocument): OpenApiDocument {
  for (const [path, item] of Object.entries(raw.paths)) {
    for (const operation of Object.values(item)) {
      sayAccess(operation)
      sayWhetherBody(operation)
      const parameters = parametersOf(path, operation['x-query-schema'])
      delete operation['x-query-schema']
      if (parameters.length > 0) operation['parameters'] = parameters
      const responses = operation['responses'] as Record<string, unknown>
      responses['default'] = operation['x-problem-pages'] === true ? PROBLEM_OR_PAGE : PROBLEM
      delete operation['x-problem-pages']
    }
  }
  return raw
}

function sayAccess(operation: Operation): void {
  const access = accessOf(operation)
  const { description } = operation
  const said = typeof description === 'string' ? `${description.trim()}\n\n` : ''
  operation['description'] = said + accessInWords(access)
  if ('security' in operation) throw new Problem('internal', `${String(operation['operationId'])}: security follows from x-access`)
  const security = securityOf(access)
  if (security !== undefined) operation['security'] = security
}

/** A body may be left out where nothing in it must be. */
function sayWhetherBody({ requestBody }: Operation): void {
  if (requestBody === undefined) return
  const body = requestBody as { required: boolean; content: Record<string, { schema: { $ref: string } }> }
  const name = body.content['application/json']?.schema.$ref.split('/').at(-1)
  const schema = (COMPONENTS as Record<string, Readonly<Record<string, unknown>>>)[name ?? '']
  // A schema of parts stands for an event or more.
  if (schema !== undefined && 'properties' in schema) body.required = !takesNothing(schema)
}

const PROBLEM = {
  description: 'A problem with a stable `code`',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
}

const PROBLEM_OR_PAGE = { ...PROBLEM, description: `${PROBLEM.description}; a page for who accepts HTML`, content: { ...PROBLEM.content, 'text/html': { schema: { type: 'string' } } } }

function parametersOf(path: string, name: unknown): unknown[] {
  if (typeof name !== 'string') return []
  const schema = COMPONENTS[name as keyof typeof COMPONENTS] as Schema | undefined
  if (schema?.properties === undefined) throw new Problem('internal', `${path} names the unknown schema ${name}`)
  return Object.entries(schema.properties).map(([parameter, { description, ...rest }]) => ({
    name: parameter,
    in: path.includes(`{${parameter}}`) ? 'path' : 'query',
    required: schema.required?.includes(parameter) === true,
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }))
}

/** `nullable` is how Ajv says it; OpenAPI 3.1 has only the type null. */
function withNullTypes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withNullTypes)
  if (typeof value !== 'object' || value === null) return value
  const { nullable, ...rest } = value as Record<string, unknown>
  const copy = Object.fromEntries(Object.entries(rest).map(([name, inner]) => [name, withNullTypes(inner)]))
  return nullable === true ? { ...copy, type: [copy['type'], 'null'] } : copy
}
