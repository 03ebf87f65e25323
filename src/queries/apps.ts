// What apps an account sees, and one app. The reader's role comes from the keyring: what it allows is what it says.
import type { Knex } from 'knex'
import { Problem } from '../errors.ts'
import { FIRST_ORGANISATION, type Role, ROLES } from '../events/organisations.ts'
import { isUuid, uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import type { AppRow } from '../projections/apps.ts'
import { textOfId } from '../projections/storage/rows.ts'

const instant = { type: 'string', format: 'date-time' } as const

export const appResult = {
  type: 'object',
  additionalProperties: false,
  required: ['appId', 'organisationId', 'name', 'role', 'url', 'timezone', 'ip', 'keepQuery', 'createdAt', 'updatedAt'],
  properties: {
    appId: { type: 'string' },
    organisationId: { type: 'string' },
    name: { type: 'string' },
    role: { type: 'string', enum: ROLES, description: 'Yours on the app: the higher of your role in its organisation and what was granted' },
    url: { type: 'string', nullable: true },
    timezone: { type: 'string' },
    ip: { type: 'string', enum: ['truncate', 'full', 'none'] },
    keepQuery: { anyOf: [{ type: 'string', const: 'all' }, { type: 'array', items: { type: 'string' } }] },
    createdAt: instant,
    updatedAt: instant,
  },
} as const

export const appsResult = {
  type: 'object',
  additionalProperties: false,
  required: ['apps', 'nextCursor'],
  properties: { apps: { type: 'array', items: appResult }, nextCursor: { type: 'string', nullable: true } },
} as const

export interface App {
  readonly appId: string
  readonly organisationId: string
  readonly name: string
  readonly role: Role
  readonly url: string | null
  readonly timezone: string
  readonly ip: string
  readonly keepQuery: string[] | 'all'
  readonly createdAt: string
  readonly updatedAt: string
}

/** Of the apps that the reader may see, by app id, with their role on each. */
export async function readApps(
  trx: Knex,
  build: number,
  roles: ReadonlyMap<string, Role>,
  { limit = LIMITS.pageDefault, cursor }: { limit?: number; cursor?: string },
): Promise<{ apps: App[]; nextCursor: string | null }> {
  const after = cursor === undefined ? '' : idCursor(cursor)
  const wanted = [...roles.keys()].filter((appId) => appId > after).sort().slice(0, limit + 1)
  const rows = await trx('apps').where({ build }).whereIn('app_id', wanted.map(uuidToBytes)).whereNull('deleted_at').orderBy('app_id').select<AppRow[]>('*')
  const apps = rows.slice(0, limit).map((row) => appOf(row, roles.get(textOfId(row.app_id))!))
  return { apps, nextCursor: wanted.length > limit ? wanted[limit - 1]! : null }
}

export async function readApp(trx: Knex, build: number, appId: string, role: Role): Promise<App> {
  const row = await trx('apps').where({ build, app_id: uuidToBytes(appId) }).whereNull('deleted_at').first<AppRow | undefined>()
  if (row === undefined) throw new Problem('not_found')
  return appOf(row, role)
}

/** A cursor is the id of the last row that was shown. */
export function idCursor(cursor: string): string {
  if (isUuid(cursor)) return cursor
  throw new Problem('invalid_parameter', undefined, { errors: [{ path: 'cursor', detail: 'is not a cursor of this list' }] })
}

function appOf(row: AppRow, role: Role): App {
  return {
    appId: textOfId(row.app_id),
    organisationId: row.organisation_id === null ? FIRST_ORGANISATION : textOfId(row.organisation_id),
    name: row.name,
    role,
    url: row.url,
    timezone: row.timezone,
    ip: row.ip,
    keepQuery: JSON.parse(row.keep_query) as string[] | 'all',
    createdAt: new Date(row.created_at).toISOString(),
    updatedAt: new Date(row.updated_at).toISOString(),
  }
}
