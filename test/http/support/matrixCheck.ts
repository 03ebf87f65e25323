// Holds one operation against everybody who may come: each must be answered as `x-access` says, and whoever is refused must
// have changed nothing.
import { request } from 'node:http'
import { type Access, accessOf } from '../../../src/http/access.ts'
import { openApiDocument } from '../../../src/http/openapi.ts'
import { type Asked, codeOf, type Told } from './fixture.ts'
import { type Credential, CREDENTIALS, headersOf, type Verdict, verdictFor } from './matrixCredentials.ts'
import type { Call, Sample } from './matrixSamples.ts'
import type { World } from './matrixWorld.ts'

export interface Operation {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly access: Access
}

export type Ask = (asked: Asked, stream: boolean) => Promise<Told>

export function operations(): readonly Operation[] {
  return Object.entries(openApiDocument().paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ name: String(operation['operationId']), method: method.toUpperCase(), path, access: accessOf(operation) })),
  )
}

/** One line for everybody who was answered otherwise than they must be. */
export async function faultsOf(world: World, operation: Operation, sample: Sample, ask: Ask = askOf(world)): Promise<string[]> {
  const faults: string[] = []
  let call: Call | undefined
  for (const credential of CREDENTIALS) {
    const expected = verdictFor(operation.access, credential, operation.method !== 'GET')
    call ??= await sample.call(world)
    const { told, changed } = await tried(world, operation, { call, credential }, (asked) => ask(asked, sample.stream === true))
    const answered = verdictOf(told, sample)
    // Whoever is refused must leave it as it is: the next one asks for the same.
    if (answered === 'ok') call = undefined
    const fault = answered !== expected ? `expected ${expected}, was ${answered} ${told.text.slice(0, 300)}` : refusalFault(told, expected, changed)
    if (fault !== undefined) faults.push(`${credential.name}: ${fault}`)
  }
  return faults
}

function refusalFault(told: Told, expected: Verdict, changed: boolean): string | undefined {
  if (expected === 'ok') return undefined
  if (changed) return 'was refused, but the log has grown'
  return told.headers.etag === undefined ? undefined : 'was refused, but got an ETag'
}

async function tried(
  world: World,
  operation: Operation,
  { call, credential }: { call: Call; credential: Credential },
  ask: (asked: Asked) => Promise<Told>,
): Promise<{ told: Told; changed: boolean }> {
  const headers = { ...call.headers, ...(await headersOf(world, credential, operation.access)) }
  const { state } = world.fixture.keyring
  const before = state.position
  const told = await ask({ ...askedOf(operation, call), headers })
  return { told, changed: state.position !== before }
}

export function askedOf({ method, path }: Pick<Operation, 'method' | 'path'>, { params = {}, query = {}, body }: Call): Asked {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name]
    if (value === undefined) throw new Error(`the sample says nothing of {${name}}`)
    return encodeURIComponent(value)
  })
  const asks = new URLSearchParams(query).toString()
  return { method, path: asks === '' ? filled : `${filled}?${asks}`, ...(body === undefined ? {} : { body }) }
}

function verdictOf(told: Told, { answers = [] }: Sample): Verdict {
  const said = `${told.status} ${codeOf(told)}`.trim()
  return (told.status >= 200 && told.status < 300) || answers.includes(said) ? 'ok' : said
}

export function askOf({ fixture }: Pick<World, 'fixture'>): Ask {
  return (asked, stream) => (stream ? begun(fixture.url, asked) : fixture.ask(asked))
}

/** The head of an answer that would go on for ever, or the whole of a refusal. */
function begun(url: string, { method = 'GET', path, headers = {} }: Asked): Promise<Told> {
  return new Promise((resolve, reject) => {
    const req = request(`${url}${path}`, { method, headers, agent: false }, (res) => {
      const told = { status: res.statusCode!, headers: res.headers }
      if (told.status < 300) {
        resolve({ ...told, text: '', body: {} })
        req.destroy()
        return
      }
      let text = ''
      res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      res.on('end', () => resolve({ ...told, text, body: JSON.parse(text) as Record<string, unknown> }))
    })
    req.on('error', reject)
    req.end()
  })
}
