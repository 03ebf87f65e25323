// Goals: how often each was reached, by how many distinct people, and what revenue came of it. From the tables where a range
// is whole local days and the revision that is asked for is in the rows; else from the log.
import { decode } from '../events/catalogue.ts'
import { type DefinedGoal, type Definition, definitionsStream, foldDefinitions, type GoalSpec } from '../events/definitions.ts'
import { Problem } from '../errors.ts'
import { NO_CURRENCY } from '../projections/definitions/match.ts'
import { type DefinedCell, readAllDays, readDefined } from '../projections/definitions/read.ts'
import { DEFINED_VISITORS } from '../projections/definitions/state.ts'
import { NumberBag } from '../projections/sets/numberBag.ts'
import { type DistinctPeople, readPeople } from '../projections/web/people.ts'
import { definedExtent, type RevisionParams, servedSpec, specOf } from './definitionRevision.ts'
import type { Query, Snapshot } from './query.ts'
import { byBytes } from './ranking.ts'
import { AS_OF_SCHEMA, COUNT_SCHEMA, statsAnswer } from './schemas.ts'
import { RANGE_SCHEMA } from './range.ts'
import type { Bots, GoalResult, Revenue } from './stats.ts'
import { botsProperty } from './statsParameters.ts'
import { botFlags, wholeDays } from './webTotals.ts'

const revenue = {
  type: 'array',
  description: 'By currency; events that name none come last.',
  items: {
    title: 'Revenue',
    type: 'object',
    additionalProperties: false,
    required: ['currency', 'sum'],
    properties: { currency: { type: ['string', 'null'] }, sum: { type: 'number' } },
  },
} as const

const required = ['name', 'conversions', 'converters', 'visitors', 'conversionRate', 'revenue'] as const
const properties = {
  name: { type: 'string' },
  conversions: { ...COUNT_SCHEMA, description: 'Events that match.' },
  converters: { ...COUNT_SCHEMA, description: 'Distinct people among them.' },
  visitors: { ...COUNT_SCHEMA, description: 'All distinct people in the range.' },
  conversionRate: { type: ['number', 'null'], minimum: 0, maximum: 1, description: 'converters / visitors; null without visitors.' },
  revenue,
} as const
const example = { name: 'Purchase', conversions: 31, converters: 28, visitors: 1200, conversionRate: 0.0233, revenue: [{ currency: 'EUR', sum: 1250.5 }] }

export const goal: Query<RevisionParams & { bots?: Bots }, GoalResult> = {
  name: 'goal',
  projection: 'definitions',
  ranged: true,
  params: {
    ...{ title: 'GoalParameters', type: 'object', additionalProperties: false, required: ['definitionId', 'revision'] },
    properties: { definitionId: { type: 'string' }, revision: { type: 'integer', minimum: 1 } },
  },
  result: statsAnswer({ title: 'Goal', description: 'One goal in a range, exactly.', required: [...required], properties, example }),
  stats: {
    bots: 'exclude',
    question: async (params, asked, snapshot) => ({ ...asked, name: 'goal', goal: (await specOf(snapshot, 'goal', params)) as GoalSpec }),
    fromTables: (params, snapshot) => servedSpec(snapshot, params) !== undefined && wholeDays(snapshot.range!) !== undefined,
  },
  extent: definedExtent,
  async run(snapshot, { definitionId, revision, bots = 'exclude' }) {
    const served = { definitionId, revision, spec: servedSpec(snapshot, { definitionId, revision }) as GoalSpec }
    return (await goalsOf(snapshot, [served], bots))[0]!
  },
}

interface GoalsResult {
  readonly goals: readonly (GoalResult & { readonly definitionId: string; readonly revision: number; readonly newestRevision: number })[]
  /** Goals that no table answers yet. */
  readonly filling: readonly string[]
}

export const goals: Query<{ bots?: Bots }, GoalsResult> = {
  name: 'goals',
  projection: 'definitions',
  ranged: true,
  params: { title: 'GoalsParameters', type: 'object', additionalProperties: false, properties: { bots: botsProperty('exclude') } },
  result: {
    title: 'Goals',
    description: 'All goals in force over whole local days.',
    type: 'object',
    additionalProperties: false,
    required: ['goals', 'filling', 'range', 'asOf'],
    properties: {
      goals: {
        type: 'array',
        items: {
          title: 'GoalInList',
          type: 'object',
          additionalProperties: false,
          required: ['definitionId', 'revision', 'newestRevision', ...required],
          properties: {
            definitionId: { type: 'string' },
            revision: { type: 'integer', minimum: 1, description: 'The revision that was counted by.' },
            newestRevision: { type: 'integer', minimum: 1, description: 'A higher one is being filled.' },
            ...properties,
          },
        },
      },
      filling: { type: 'array', items: { type: 'string' }, description: 'Goals that are being filled for the first time; each alone is answered from the log.' },
      range: RANGE_SCHEMA,
      asOf: AS_OF_SCHEMA,
    },
  },
  extent: definedExtent,
  async run(snapshot, { bots = 'exclude' }) {
    if (wholeDays(snapshot.range!) === undefined) {
      const detail = 'cuts a local day: all goals at once are counted over whole days; /analytics/goals/{definitionId} takes any bounds'
      throw new Problem('invalid_parameter', undefined, { errors: [{ path: 'from', detail }] })
    }
    const inForce = await goalsInForce(snapshot)
    const served: DefinedGoal[] = []
    for (const { definitionId } of inForce) served.push(...snapshot.defined.goals.filter((one) => one.definitionId === definitionId))
    const counted = await goalsOf(snapshot, served, bots)
    const newest = new Map(inForce.map(({ definitionId, revision }) => [definitionId, revision]))
    return {
      goals: served.map(({ definitionId, revision }, at) => ({ definitionId, revision, newestRevision: newest.get(definitionId)!, ...counted[at]! })),
      filling: inForce.map(({ definitionId }) => definitionId).filter((id) => served.every(({ definitionId }) => definitionId !== id)),
    }
  },
}

/** As of the position that the rows stand at, so that the answer is of one moment. */
async function goalsInForce({ log, appId, position }: Snapshot): Promise<readonly Definition[]> {
  const events = await log.readStream(log.partitionOf(appId), definitionsStream(appId))
  return foldDefinitions(events.filter((event) => event.position <= position).map(decode)).goals
}

type Served = Pick<DefinedGoal, 'definitionId' | 'revision' | 'spec'>

async function goalsOf(snapshot: Snapshot, served: readonly Served[], bots: Bots): Promise<GoalResult[]> {
  const range = snapshot.range!
  const flags = botFlags(bots)
  const people = (await readPeople(snapshot, DEFINED_VISITORS)).distinct()
  const visitors = distinct(people, await readAllDays(snapshot, range, flags))
  const results: GoalResult[] = []
  for (const one of served) {
    const cells = await readDefined(snapshot, one, range, flags)
    const converters = distinct(people, cells)
    results.push({
      name: one.spec.name,
      conversions: cells.reduce((sum, { events }) => sum + events, 0),
      converters,
      visitors,
      conversionRate: visitors === 0 ? null : converters / visitors,
      revenue: one.spec.value === undefined ? [] : revenueOf(cells),
    })
  }
  return results
}

function distinct(people: DistinctPeople, cells: readonly DefinedCell[]): number {
  people.clear()
  for (const { visitors } of cells) people.add(visitors)
  return people.size
}

function revenueOf(cells: readonly DefinedCell[]): Revenue[] {
  const bags = new Map<string, NumberBag>()
  for (const { numbers } of cells) {
    for (const [label, numbersOf] of numbers) {
      const bag = bags.get(label) ?? new NumberBag()
      bags.set(label, bag)
      bag.addAll(numbersOf)
    }
  }
  return [...bags]
    .map(([label, { sum }]) => ({ currency: label === NO_CURRENCY ? null : label, sum }))
    .sort((left, right) => (left.currency === null ? 1 : right.currency === null ? -1 : byBytes(left.currency, right.currency)))
}
