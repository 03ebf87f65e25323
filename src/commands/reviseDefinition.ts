// Changes what a goal or a report says, for all of history: what is named changes, null takes away, the rest stays. What
// served before serves until the new revision is filled; a change of nothing is no event.
import { isDeepStrictEqual } from 'node:util'
import { Problem } from '../errors.ts'
import type { Definition, Definitions } from '../events/definitions.ts'
import { definitionsStream } from '../events/definitions.ts'
import { goalProperties, reportProperties } from '../events/definitionSpecs.ts'
import type { EventType } from '../events/eventType.ts'
import { goalRevised } from '../events/goalRevised.ts'
import { reportRevised } from '../events/reportRevised.ts'
import { objectSchema, uuid } from '../events/schemas.ts'
import type { AppCommand } from './appCommand.ts'
import { type DefinitionAnswer, definitionStream, inForce, refuseSameName } from './definitionCommand.ts'
import { checkedGoal, checkedReport } from './definitionInput.ts'

export interface ReviseDefinition {
  definitionId: string
  /** The revision that the change was made for; refused where it is another by now. */
  expectedRevision?: number
  changes: Readonly<Record<string, unknown>>
}

const orNothing = (schema: object): object => ({ anyOf: [schema, { type: 'null' }] })
const { name, event, filter } = goalProperties
const { measures, dimensions, interval } = reportProperties

/** What a client sends; the definition is named by the route. */
export const reviseDefinitionBody = {
  ...objectSchema(
    {
      expectedRevision: { type: 'integer', minimum: 1, description: 'The revision that the change is made for; refused where it is another by now.' },
      ...{ name, event: orNothing(event), page: orNothing(goalProperties.page), filter: orNothing(filter), value: orNothing(goalProperties.value) },
      ...{ measures, dimensions, interval },
    },
    [],
  ),
  ...{ minProperties: 1, title: 'ReviseDefinitionBody', description: 'What to change of a goal or a report; null takes away, the rest stays as it is.' },
  examples: [{ filter: 'metadata.plan in ("pro", "team")', expectedRevision: 1 }],
}

export const reviseDefinition: AppCommand<ReviseDefinition, Definitions, DefinitionAnswer> = {
  name: 'ReviseDefinition',
  schema: {
    ...objectSchema({ definitionId: uuid, expectedRevision: { type: 'integer', minimum: 1 }, changes: { type: 'object' } }, ['definitionId', 'changes']),
    title: 'ReviseDefinition',
  },
  ...definitionStream,
  decide(definitions, appId, { definitionId, expectedRevision, changes }) {
    const before = inForce(definitions, definitionId)
    const { kind } = before
    if (expectedRevision !== undefined && expectedRevision !== before.revision) {
      throw new Problem('conflict', `The definition is at revision ${before.revision}, not ${expectedRevision}`)
    }
    const { type, spec } = revised(before, changes)
    if (isDeepStrictEqual(spec, before.spec)) return { events: [], result: { definitionId, kind, revision: before.revision } }
    refuseSameName(definitions, { definitionId, kind, spec })
    const revision = before.revision + 1
    const data = { definitionId, revision, spec }
    return { events: [{ type, stream: definitionsStream(appId), appId, data }], result: { definitionId, kind, revision } }
  },
}

function revised(before: Definition, changes: Readonly<Record<string, unknown>>): { type: EventType; spec: Definition['spec'] } {
  const both: Record<string, unknown> = { ...before.spec, ...changes }
  const merged = Object.fromEntries(Object.entries(both).filter(([, value]) => value !== null))
  if (before.kind === 'goal') return { type: goalRevised, spec: checkedGoal(merged as never) }
  if (before.kind === 'report') return { type: reportRevised, spec: checkedReport(merged as never) }
  throw new Problem('invalid_body', 'A dimension has nothing to revise: retire it and define another')
}
