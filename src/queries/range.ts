// Which instants a question is about: `from` inclusive, `to` exclusive, plain dates and times without offset local to the
// app, periods by name, and the last 30 local days, including today, when nothing is said.
import { type Fault, Problem } from '../errors.ts'
import { DAY_MS, localDays, type LocalDays } from '../kernel/calendar.ts'
import { parseInstant } from '../kernel/instants.ts'
import type { Range } from './query.ts'

export const PERIODS = ['today', '7d', '30d', 'month', 'year', 'all'] as const
export type Period = (typeof PERIODS)[number]

export interface RangeParams {
  readonly from?: string
  readonly to?: string
  readonly period?: Period
}

const instant = 'An ISO 8601 instant, a time without offset (local to the app), or a date (its local day begins)'

/** Properties that every question with a range takes; one source for checks and OpenAPI. */
export const RANGE_PROPERTIES = {
  from: { type: 'string', minLength: 1, maxLength: 64, description: `Start, inclusive. ${instant}.`, example: '2026-11-01' },
  to: { type: 'string', minLength: 1, maxLength: 64, description: `End, exclusive. ${instant}.`, example: '2026-12-01' },
  period: {
    type: 'string',
    enum: PERIODS,
    description: 'Instead of from and to. `month` and `year` are the current ones; days include today. Default: 30d.',
    example: '7d',
  },
} as const

export const RANGE_SCHEMA = {
  title: 'Range',
  description: 'The instants that were counted, and the zone in which days are local.',
  type: 'object',
  additionalProperties: false,
  required: ['from', 'to', 'timezone'],
  properties: {
    from: { type: 'string', format: 'date-time', description: 'Inclusive.' },
    to: { type: 'string', format: 'date-time', description: 'Exclusive.' },
    timezone: { type: 'string', description: 'IANA name.' },
  },
  example: { from: '2026-11-01T00:00:00.000Z', to: '2026-12-01T00:00:00.000Z', timezone: 'UTC' },
} as const

const NO_INSTANT = 'is no ISO 8601 date or time'
/** What an unescaped + in an address becomes. */
const BLANK_FOR_PLUS = /T\d\d:\d\d\S* \d\d(?::?\d\d)?$/

/** Throws Problem `invalid_parameter` or `empty_range`. `all` answers undefined: it depends on what was counted. */
export function resolveRange(params: RangeParams, timezone: string, nowMs: number): Range | undefined {
  const zone = localDays(timezone)
  const today = zone.at(nowMs)
  if (params.period !== undefined) {
    if (params.from !== undefined || params.to !== undefined) {
      throw invalid([{ path: 'period', detail: 'goes instead of from and to, not with them' }])
    }
    if (params.period === 'all') return undefined
    return { ...periodOf(params.period, zone, today.day), timezone }
  }
  const faults: Fault[] = []
  const read = (path: 'from' | 'to'): number | undefined => {
    const text = params[path]
    if (text === undefined) return undefined
    const atMs = parseInstant(text, timezone)
    if (atMs === undefined || !Number.isFinite(atMs)) faults.push({ path, detail: BLANK_FOR_PLUS.test(text) ? `${NO_INSTANT}: write the + of an offset as %2B in an address` : NO_INSTANT })
    return atMs
  }
  const from = read('from')
  const to = read('to')
  if (faults.length > 0) throw invalid(faults)
  const toMs = to ?? today.toMs
  const fromMs = from ?? zone.of(zone.at(toMs - 1).day - 29).fromMs
  if (fromMs >= toMs) throw new Problem('empty_range')
  return { fromMs, toMs, timezone }
}

/** All that was counted, and today. */
export function wholeRange(extent: Pick<Range, 'fromMs' | 'toMs'> | undefined, timezone: string, nowMs: number): Range {
  const today = localDays(timezone).at(nowMs)
  return {
    fromMs: Math.min(extent?.fromMs ?? today.fromMs, today.fromMs),
    toMs: Math.max(extent?.toMs ?? today.toMs, today.toMs),
    timezone,
  }
}

function periodOf(period: Exclude<Period, 'all'>, zone: LocalDays, today: number): Pick<Range, 'fromMs' | 'toMs'> {
  const between = (from: number, to: number): Pick<Range, 'fromMs' | 'toMs'> => ({ fromMs: zone.startMs(from), toMs: zone.startMs(to) })
  const date = new Date(today * DAY_MS)
  const year = date.getUTCFullYear()
  const month = date.getUTCMonth()
  switch (period) {
    case 'today':
      return between(today, today + 1)
    case '7d':
      return between(today - 6, today + 1)
    case '30d':
      return between(today - 29, today + 1)
    case 'month':
      return between(Date.UTC(year, month, 1) / DAY_MS, Date.UTC(year, month + 1, 1) / DAY_MS)
    case 'year':
      return between(Date.UTC(year, 0, 1) / DAY_MS, Date.UTC(year + 1, 0, 1) / DAY_MS)
  }
}

function invalid(errors: readonly Fault[]): Problem {
  return new Problem('invalid_parameter', undefined, { errors })
}
