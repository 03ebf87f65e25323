// Custom reports: measures of the events that pass, by interval and values. From the tables where the bounds lie on their rows
// and the revision that is asked for is in them; else from the log.
import { type ReportSpec } from '../events/definitions.ts'
import { LIMITS } from '../limits.ts'
import { countDefined, type DefinedCell, readDefined } from '../projections/definitions/read.ts'
import { DEFINED_VISITORS } from '../projections/definitions/state.ts'
import { NumberBag } from '../projections/sets/numberBag.ts'
import { type DistinctPeople, readPeople } from '../projections/web/people.ts'
import { definedExtent, type RevisionParams, servedSpec, specOf } from './definitionRevision.ts'
import { ofBag } from './fromLog/report.ts'
import { byKey } from './fromLog/reportGroups.ts'
import { spanAt, spansOf } from './intervals.ts'
import type { Query, Range } from './query.ts'
import { checkReportRows } from './reportBound.ts'
import { statsAnswer } from './schemas.ts'
import type { Bots, ReportResult, ReportRow } from './stats.ts'
import { botFlags, isAligned, onRows, wholeDays } from './webTotals.ts'

export const report: Query<RevisionParams & { bots?: Bots }, ReportResult> = {
  name: 'report',
  projection: 'definitions',
  ranged: true,
  params: {
    ...{ title: 'ReportParameters', type: 'object', additionalProperties: false, required: ['definitionId', 'revision'] },
    properties: { definitionId: { type: 'string' }, revision: { type: 'integer', minimum: 1 } },
  },
  result: statsAnswer({
    title: 'Report',
    description: 'One report in a range, exactly.',
    required: ['name', 'interval', 'dimensions', 'measures', 'rows'],
    properties: {
      name: { type: 'string' },
      interval: { type: 'string', enum: ['none', 'hour', 'day', 'week', 'month'] },
      dimensions: { type: 'array', items: { type: 'string' } },
      measures: { type: 'array', items: { type: 'string' }, description: '`count`, `sum(metadata.price)`, …' },
      rows: {
        type: 'array',
        description: 'By time, then by dimensions.',
        items: {
          title: 'ReportRow',
          type: 'object',
          additionalProperties: false,
          required: ['at', 'dimensions', 'measures'],
          properties: {
            at: { type: ['string', 'null'], format: 'date-time', description: 'Start of the interval; null when the report has none.' },
            dimensions: { type: 'array', items: { type: ['string', 'null'] }, description: 'One per dimension; null where events lack it.' },
            measures: { type: 'array', items: { type: ['number', 'null'] }, description: 'One per measure; null where no event has the number.' },
          },
        },
      },
    },
    example: { name: 'Edits by page', interval: 'none', dimensions: ['metadata.page'], measures: ['count'], rows: [{ at: null, dimensions: ['Main'], measures: [33] }] },
  }),
  stats: {
    bots: 'exclude',
    question: async (params, asked, snapshot) => ({ ...asked, name: 'report', report: (await specOf(snapshot, 'report', params)) as ReportSpec }),
    async fromTables(params, snapshot) {
      const spec = servedSpec(snapshot, params) as ReportSpec | undefined
      if (spec === undefined || !isOnRows(spec, snapshot.range!)) return false
      return (await countDefined(snapshot, params, snapshot.range!, LIMITS.reportCells + 1)) <= LIMITS.reportCells
    },
  },
  extent: definedExtent,
  async run(snapshot, { definitionId, revision, bots = 'exclude' }) {
    const spec = servedSpec(snapshot, { definitionId, revision }) as ReportSpec
    const range = snapshot.range!
    const cells = await readDefined(snapshot, { definitionId, revision }, range, botFlags(bots))
    const people = (await readPeople(snapshot, DEFINED_VISITORS)).distinct()
    const { name, interval, dimensions, measures } = spec
    return {
      name,
      interval,
      dimensions,
      measures: measures.map(({ measure, of }) => (of === undefined ? measure : `${measure}(${of})`)),
      rows: groupsOf(spec, range, cells).map((group) => rowOf(spec, group, people)),
    }
  },
}

/** Whether the rows hold all of the range, cut as the report cuts it, and nothing besides. */
function isOnRows({ interval }: ReportSpec, range: Range): boolean {
  if (interval !== 'hour') return wholeDays(range) !== undefined
  return isAligned(range) && spansOf(range, interval).every(({ fromMs }) => onRows(fromMs, range.timezone))
}

interface Group {
  readonly at: string | null
  readonly dimensions: readonly (string | null)[]
  readonly cells: DefinedCell[]
}

function groupsOf({ interval, dimensions }: ReportSpec, range: Range, cells: readonly DefinedCell[]): Group[] {
  const spans = interval === 'none' ? undefined : spansOf(range, interval)
  const groups = new Map<string, Group>()
  for (const cell of cells) {
    const at = spans === undefined ? null : new Date(spans[spanAt(spans, cell.bucket)]!.atMs).toISOString()
    const key = JSON.stringify([at, cell.group])
    const group = groups.get(key)
    if (group !== undefined) {
      group.cells.push(cell)
      continue
    }
    groups.set(key, { at, dimensions: cell.group, cells: [cell] })
    checkReportRows(groups.size)
  }
  // Totals are a row even of nothing.
  if (groups.size === 0 && spans === undefined && dimensions.length === 0) return [{ at: null, dimensions: [], cells: [] }]
  return [...groups.values()].sort(byKey)
}

function rowOf({ measures }: ReportSpec, { at, dimensions, cells }: Group, people: DistinctPeople): ReportRow {
  const bags = new Map<string, NumberBag>()
  for (const { numbers } of cells) {
    for (const [label, numbersOf] of numbers) {
      const bag = bags.get(label) ?? new NumberBag()
      bags.set(label, bag)
      bag.addAll(numbersOf)
    }
  }
  const measured = measures.map(({ measure, of }): number | null => {
    if (measure === 'count') return cells.reduce((sum, { events }) => sum + events, 0)
    if (measure !== 'visitors') return ofBag(bags.get(of!) ?? new NumberBag(), measure)
    people.clear()
    for (const { visitors } of cells) people.add(visitors)
    return people.size
  })
  return { at, dimensions, measures: measured }
}
