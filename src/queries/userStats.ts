// What one person did: the user's own events and those of the anonymous ids that turned out to be theirs. The rows know
// nothing of bots, of filters and of earlier moments: then the log answers.
import { Problem } from '../errors.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import { bytesOf } from '../projections/storage/rows.ts'
import { type Person, personOf, type PersonRow, unite } from '../projections/userStats/person.ts'
import { type Recent, spelledOut } from '../projections/userStats/recent.ts'
import { identityKey, USER } from '../projections/visitors/visitors.ts'
import type { Query } from './query.ts'
import { AS_OF_SCHEMA, COUNT_SCHEMA, FROM_SCHEMA } from './schemas.ts'
import type { Bots } from './stats.ts'

export interface UserStatsParams {
  readonly userId: string
  readonly bots: Bots
}

export interface UserStats {
  readonly userId: string
  readonly totalEvents: number
  readonly firstSeen: string
  readonly lastSeen: string
  readonly deviceDetails: { readonly browser: string | null; readonly os: string | null; readonly device: string | null }
  readonly ipAddress: string | null
  readonly recentEvents: readonly { readonly id: string; readonly event: string; readonly url: string | null; readonly at: string }[]
}

const text = { type: ['string', 'null'] } as const
const time = { type: 'string', format: 'date-time' } as const

export const userStats: Query<UserStatsParams, UserStats> = {
  name: 'user-stats',
  projection: 'userStats',
  ranged: false,
  stats: {
    bots: 'include',
    question: ({ userId }, asked) => ({ ...asked, name: 'user-stats', userId }),
    fromTables: ({ bots }) => bots === 'include',
  },
  params: {
    title: 'UserStatsParameters',
    type: 'object',
    additionalProperties: false,
    required: ['userId'],
    properties: {
      userId: { type: 'string', minLength: 1, maxLength: LIMITS.identityChars, description: 'As the app sends it.', example: 'user789' },
    },
  },
  result: {
    title: 'UserStats',
    description: 'One person, with the anonymous history that turned out to be theirs.',
    type: 'object',
    additionalProperties: false,
    required: ['userId', 'totalEvents', 'firstSeen', 'lastSeen', 'deviceDetails', 'ipAddress', 'recentEvents', 'from', 'asOf'],
    properties: {
      userId: { type: 'string' },
      totalEvents: COUNT_SCHEMA,
      firstSeen: time,
      lastSeen: time,
      deviceDetails: {
        title: 'DeviceDetails',
        description: 'Of the latest event that says anything of it.',
        type: 'object',
        additionalProperties: false,
        required: ['browser', 'os', 'device'],
        properties: { browser: text, os: text, device: text },
      },
      ipAddress: { ...text, description: 'As stored: reduced as the app is set to.' },
      recentEvents: {
        type: 'array',
        maxItems: LIMITS.recentEvents,
        description: 'The latest by time of occurrence, newest first.',
        items: {
          title: 'RecentEvent',
          type: 'object',
          additionalProperties: false,
          required: ['id', 'event', 'url', 'at'],
          properties: { id: { type: 'string', format: 'uuid' }, event: { type: 'string' }, url: text, at: time },
        },
      },
      from: FROM_SCHEMA,
      asOf: AS_OF_SCHEMA,
    },
    example: {
      userId: 'user789',
      totalEvents: 150,
      firstSeen: '2026-10-01T09:00:00.000Z',
      lastSeen: '2026-11-22T11:59:00.000Z',
      deviceDetails: { browser: 'Chrome', os: 'Android', device: 'mobile' },
      ipAddress: '192.168.1.0',
      recentEvents: [{ id: '0190f5d0-7b1e-7c3a-9d57-0d2f3f1c9a55', event: 'pageview', url: 'https://example.com/', at: '2026-11-22T11:59:00.000Z' }],
      from: 'tables',
      asOf: AS_OF_SCHEMA.example,
    },
  },
  async run({ trx, build, appId }, { userId }) {
    const these = { build, app_id: uuidToBytes(appId) }
    const user = identityKey(USER, userId)
    const links = await trx('user_stats_links').where({ ...these, user_identity: user }).select<{ identity: Uint8Array | ArrayBuffer }[]>('identity')
    const identities = [user, ...links.map(({ identity }) => bytesOf(identity))]
    const rows: (Omit<PersonRow, 'detail'> & { readonly detail: Uint8Array | ArrayBuffer })[] = []
    for (let at = 0; at < identities.length; at += LIMITS.rowsPerStatement) {
      const some = identities.slice(at, at + LIMITS.rowsPerStatement)
      rows.push(...(await trx('user_stats').where(these).whereIn('identity', some).select<typeof rows>('*')))
    }
    const person = unite(rows.map((row) => personOf({ ...row, detail: bytesOf(row.detail) })))
    return userStatsBody(userId, person, person.recent.map(spelledOut))
  },
}

/** Throws Problem `not_found` where nothing was seen of the person. */
export function userStatsBody(userId: string, { events, firstSeen, lastSeen, agent, ip }: Omit<Person, 'recent'>, recent: readonly Recent[]): UserStats {
  if (events === 0) throw new Problem('not_found', 'nobody with this userId was counted')
  return {
    userId,
    totalEvents: events,
    firstSeen: new Date(firstSeen).toISOString(),
    lastSeen: new Date(lastSeen).toISOString(),
    deviceDetails: agent?.value ?? { browser: null, os: null, device: null },
    ipAddress: ip?.value ?? null,
    recentEvents: recent.map(({ id, event, url, at }) => ({ id, event, url, at: new Date(at).toISOString() })),
  }
}
