// What each revision of a goal or a report says of all of history, counted from the log: so a history shows the numbers
// before and after a revision, whatever the tables hold by now.
import { Problem } from '../errors.ts'
import { decode } from '../events/catalogue.ts'
import { definitionHistory, definitionsStream, type GoalSpec, type Kind, type ReportSpec } from '../events/definitions.ts'
import type { RevisionView } from './definitions.ts'
import type { Query, QueryBus } from './query.ts'

interface Params {
  readonly definitionId: string
  readonly revision: number
}

/** Wider than any event may be. */
const ALWAYS = { from: '1970-01-01T00:00:00Z', to: '2200-01-01T00:00:00Z' }

export const definitionNumbers: Query<Params, object> = {
  name: 'definition-numbers',
  projection: 'definitions',
  ranged: true,
  params: {
    ...{ type: 'object', additionalProperties: false, required: ['definitionId', 'revision'] },
    properties: { definitionId: { type: 'string' }, revision: { type: 'integer', minimum: 1 } },
  },
  result: { type: 'object' },
  stats: {
    bots: 'exclude',
    async question({ definitionId, revision }, asked, { log, appId }) {
      const events = await log.readStream(log.partitionOf(appId), definitionsStream(appId))
      const found = definitionHistory(events.map(decode)).find((entry) => entry.definitionId === definitionId && entry.revision === revision)
      if (found?.kind === 'goal') return { ...asked, name: 'goal', goal: found.spec as GoalSpec }
      // One row over everything: what changed is told by it, and a row for each value would drown that.
      if (found?.kind === 'report') return { ...asked, name: 'report', report: { ...(found.spec as ReportSpec), dimensions: [], interval: 'none' } }
      throw new Problem('not_found', 'There is no such revision')
    },
    fromTables: () => false,
  },
  run: () => Promise.reject(new Error('definition-numbers are counted from the log')),
}

export type DefinitionNumbers = (appId: string, kind: Kind, definitionId: string, history: readonly RevisionView[]) => Promise<readonly (object | null)[]>

/** One per entry of the history; null for dimensions, retirements, and where the log is longer than an answer reads. */
export function createDefinitionNumbers(queries: QueryBus): DefinitionNumbers {
  return async (appId, kind, definitionId, history) => {
    const numbers: (object | null)[] = []
    for (const { change, revision } of history) {
      const isCounted = kind !== 'dimension' && change !== 'retired'
      numbers.push(isCounted ? await numbersOf(queries, appId, { definitionId, revision }) : null)
    }
    return numbers
  }
}

async function numbersOf(queries: QueryBus, appId: string, revision: Params): Promise<object | null> {
  try {
    const { body } = await queries.ask(definitionNumbers, appId, { ...revision, ...ALWAYS })
    return Object.fromEntries(Object.entries(body).filter(([name]) => !ABOUT.has(name)))
  } catch (error) {
    if (error instanceof Problem && TOO_LONG.has(error.code)) return null
    throw error
  }
}

/** What the bus says about an answer, and what is the same for all of them. */
const ABOUT: ReadonlySet<string> = new Set(['range', 'asOf', 'from'])

const TOO_LONG: ReadonlySet<string> = new Set(['too_much_for_the_log'])
