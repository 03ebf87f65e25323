// What definitions look like when they are shown; components of the OpenAPI document.

const kind = { type: 'string', enum: ['dimension', 'goal', 'report'] } as const
const revision = { type: 'integer', minimum: 1 } as const
const spec = { type: 'object', description: 'As it was defined.' } as const

export const DEFINITION_VIEW = {
  title: 'DefinitionView',
  type: 'object',
  additionalProperties: false,
  required: ['definitionId', 'kind', 'revision', 'spec', 'state', 'servedRevision', 'progress'],
  properties: {
    definitionId: { type: 'string' },
    kind,
    revision: { ...revision, description: 'The newest.' },
    spec,
    state: { type: 'string', enum: ['filling', 'ready'], description: '`ready` once the tables answer by the newest revision, from the first event on.' },
    servedRevision: { type: ['integer', 'null'], description: 'The revision that answers now; null while there is none.' },
    progress: {
      title: 'FillingProgress',
      description: 'Of the rebuild under way; null when none is.',
      type: ['object', 'null'],
      additionalProperties: false,
      required: ['percent', 'etaSeconds'],
      properties: { percent: { type: 'number' }, etaSeconds: { type: ['integer', 'null'] } },
    },
    retired: { type: 'boolean', description: 'No longer in force.' },
  },
} as const

export const REVISION_VIEW = {
  title: 'RevisionView',
  type: 'object',
  additionalProperties: false,
  required: ['change', 'revision', 'spec', 'at', 'by', 'position', 'numbers'],
  properties: {
    change: { type: 'string', enum: ['defined', 'revised', 'retired'] },
    revision,
    spec,
    at: { type: 'string', format: 'date-time' },
    by: { type: ['string', 'null'], description: 'The account that did it.' },
    position: { type: 'integer', minimum: 1, description: 'Of the event in the partition of the app.' },
    numbers: { type: ['object', 'null'], description: 'What this revision says of all of history, counted from the log; null for dimensions and where the log is too long.' },
  },
} as const
