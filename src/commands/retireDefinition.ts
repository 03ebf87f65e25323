// Takes a definition out of force: it is served no more, and its name is free again. Its history stays.
import { dimensionRetired } from '../events/dimensionRetired.ts'
import { type Definitions, definitionsStream } from '../events/definitions.ts'
import { goalRetired } from '../events/goalRetired.ts'
import { reportRetired } from '../events/reportRetired.ts'
import { objectSchema, uuid } from '../events/schemas.ts'
import type { AppCommand } from './appCommand.ts'
import { type DefinitionAnswer, definitionStream, inForce } from './definitionCommand.ts'

export interface RetireDefinition {
  definitionId: string
}

const RETIRED = { dimension: dimensionRetired, goal: goalRetired, report: reportRetired } as const

export const retireDefinition: AppCommand<RetireDefinition, Definitions, DefinitionAnswer> = {
  name: 'RetireDefinition',
  schema: { ...objectSchema({ definitionId: uuid }, ['definitionId']), title: 'RetireDefinition' },
  ...definitionStream,
  decide(definitions, appId, { definitionId }) {
    const { kind, revision } = inForce(definitions, definitionId)
    return {
      events: [{ type: RETIRED[kind], stream: definitionsStream(appId), appId, data: { definitionId } }],
      result: { definitionId, kind, revision },
    }
  },
}
