// Where every projection stands: its builds and their progress, how far behind the log it is, and what it could not digest.
// All of it is read from tables, so that any process can show a rebuild that another one runs.
import type { Knex } from 'knex'
import type { Head } from '../events/eventLog.ts'
import { type Build, listBuilds, liveBuild } from '../projections/builds.ts'
import { readCheckpoints } from '../projections/checkpoints.ts'
import type { Projection } from '../projections/projection.ts'
import { progressOf, type ReplayProgress } from '../projections/rebuildSession.ts'
import type { TrialReport } from '../projections/trial.ts'

const instant = { type: 'string', format: 'date-time', nullable: true } as const
const count = { type: 'integer', minimum: 0 } as const

/** What `--dry` and `{dry: true}` answer. */
const trialReport = {
  type: 'object',
  nullable: true,
  additionalProperties: false,
  description: 'What switching to this build would change, found by a trial',
  required: ['against', 'at', 'events', 'tables', 'examples'],
  properties: {
    against: { ...count, description: 'The live build it was compared with' },
    at: { type: 'string', format: 'date-time' },
    events: { ...count, description: 'Events that both had folded' },
    tables: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['table', 'same', 'changed', 'added', 'removed', 'sums'],
        properties: {
          table: { type: 'string' },
          same: count,
          changed: count,
          added: count,
          removed: count,
          sums: {
            type: 'object',
            description: 'Of each numeric column that would change: its sum over all rows',
            additionalProperties: {
              type: 'object',
              additionalProperties: false,
              required: ['now', 'then'],
              properties: { now: { type: 'number' }, then: { type: 'number' } },
            },
          },
        },
      },
    },
    examples: { type: 'array', items: { type: 'string' } },
  },
} as const

export const projectionsResult = {
  type: 'object',
  additionalProperties: false,
  required: ['projections'],
  properties: {
    projections: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'codeVersion', 'liveBuild', 'lagEvents', 'deadEvents', 'partitions', 'builds'],
        properties: {
          name: { type: 'string' },
          codeVersion: count,
          liveBuild: { type: 'integer', nullable: true },
          lagEvents: { ...count, description: 'Events in the log that the live build has not folded, over all partitions' },
          deadEvents: { ...count, description: 'Events that the live build could not fold and has set aside' },
          partitions: {
            type: 'array',
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['partition', 'position', 'lagEvents', 'followed'],
              properties: { partition: count, position: count, lagEvents: count, followed: { type: 'boolean' } },
            },
          },
          builds: {
            type: 'array',
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['build', 'codeVersion', 'status', 'paused', 'appId', 'createdAt', 'liveAt', 'error', 'progress', 'report'],
              properties: {
                build: count,
                codeVersion: count,
                status: { type: 'string', enum: ['building', 'live', 'kept', 'dropping', 'scratch'] },
                paused: { type: 'boolean', description: 'Halted by an operator, or by a trial that has ended; asking for a rebuild goes on from it' },
                appId: { type: 'string', nullable: true, description: 'Set for a build of one app' },
                createdAt: instant,
                liveAt: instant,
                error: { type: 'string', nullable: true },
                report: trialReport,
                progress: {
                  type: 'object',
                  nullable: true,
                  additionalProperties: false,
                  required: ['events', 'total', 'eventsPerSecond', 'percent', 'etaSeconds'],
                  properties: { events: count, total: count, eventsPerSecond: { type: 'integer' }, percent: { type: 'number' }, etaSeconds: { type: 'integer', nullable: true } },
                },
              },
            },
          },
        },
      },
    },
  },
} as const

export interface ProjectionStatus {
  readonly name: string
  readonly codeVersion: number
  readonly liveBuild: number | null
  readonly lagEvents: number
  readonly deadEvents: number
  readonly partitions: readonly { partition: number; position: number; lagEvents: number; followed: boolean }[]
  readonly builds: readonly BuildStatusView[]
}

export interface BuildStatusView {
  readonly build: number
  readonly codeVersion: number
  readonly status: Build['status']
  readonly appId: string | null
  readonly createdAt: string
  readonly liveAt: string | null
  readonly error: string | null
  readonly paused: boolean
  readonly report: (Omit<TrialReport, 'at'> & { readonly at: string }) | null
  readonly progress: ReplayProgress | null
}

export async function readProjections(trx: Knex, projections: readonly Projection[], heads: readonly Head[]): Promise<ProjectionStatus[]> {
  const found: ProjectionStatus[] = []
  for (const projection of projections) found.push(await readProjection(trx, projection, heads))
  return found
}

async function readProjection(trx: Knex, { name, codeVersion }: Projection, heads: readonly Head[]): Promise<ProjectionStatus> {
  const live = await liveBuild(trx, name)
  const checkpoints = live === undefined ? new Map<number, never>() : await readCheckpoints(trx, name, live)
  const partitions = [...checkpoints].map(([partition, { position, owner }]) => {
    const head = heads.find((found) => found.partition === partition)?.position ?? 0
    return { partition, position, lagEvents: Math.max(0, head - position), followed: owner !== null }
  })
  const dead = await trx('dead_events').where({ projection: name, build: live ?? 0 }).count<{ events: number }[]>({ events: '*' })
  return {
    name,
    codeVersion,
    liveBuild: live ?? null,
    lagEvents: partitions.reduce((sum, { lagEvents }) => sum + lagEvents, 0),
    deadEvents: dead[0]?.events ?? 0,
    partitions,
    builds: (await listBuilds(trx, name)).map((build) => viewOf(build, live)),
  }
}

function viewOf({ build, codeVersion, status, appId, parent, createdAt, liveAt, error, paused, report, progress }: Build, live: number | undefined): BuildStatusView {
  // A build of one app serves as long as the whole build does in which it takes the place of that app's rows.
  const serves = appId === undefined || parent === live
  return {
    build,
    codeVersion,
    status: status === 'live' && !serves ? 'kept' : status,
    appId: appId ?? null,
    createdAt: new Date(createdAt).toISOString(),
    liveAt: liveAt === undefined ? null : new Date(liveAt).toISOString(),
    error: error ?? null,
    paused,
    report: report === undefined ? null : { ...report, at: new Date(report.at).toISOString() },
    progress: progress.at === undefined ? null : progressOf(progress.events, progress.total, progress.eventsPerSecond),
  }
}
