// What the query string of each reading route may say, composed of the question's own schema and what all of them share;
// and what comes back.
import { LIMITS } from '../limits.ts'
import type { Query } from '../queries/query.ts'
import { AS_OF_SCHEMA } from '../queries/schemas.ts'
import { propertiesOf } from '../queries/statsParameters.ts'

type Schema = Readonly<Record<string, unknown>>

export const uuid = { type: 'string', pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$', 'x-words': 'an id (UUID in lower case)' } as const

export const appId = { ...uuid, description: 'The app; with an analytics token its own app unless given' } as const
export const page = {
  limit: { type: 'integer', minimum: 1, maximum: LIMITS.pageMax, default: LIMITS.pageDefault },
  cursor: { type: 'string', minLength: 1, maxLength: 512, description: '`nextCursor` of the answer before' },
} as const

const after = { ...uuid, 'x-words': 'an event id (UUID in lower case), as /collect answers it', description: 'Wait until this event is counted, for a few seconds' } as const

export function objectOf(properties: Schema, required: readonly string[] = []): Schema {
  return { type: 'object', additionalProperties: false, required, properties }
}

/** The question's own parameters, and the app, the range, what stats questions share, and the event to wait for. */
export function parametersFor(query: Pick<Query<never, unknown>, 'params' | 'ranged' | 'stats'>): Schema {
  return objectOf({ appId, ...propertiesOf(query), after }, (query.params as { required?: readonly string[] }).required)
}

/** The answer of a list or a thing of the control plane, as it leaves: with `asOf`. */
export function withAsOf(result: Schema): Schema {
  const { properties, required } = result as { properties: Schema; required: readonly string[] }
  return { ...result, required: [...required, 'asOf'], properties: { ...properties, asOf: AS_OF_SCHEMA } }
}
