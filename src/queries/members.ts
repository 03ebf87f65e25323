// Who belongs to an organisation, with what hangs on each of them: the grants on its apps, and how many working keys they
// issued, which die when they go and nobody adopts them.
import type { Knex } from 'knex'
import { grantRole, memberRole } from '../events/organisations.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import type { AccountRow, GrantRow, MemberRow } from '../projections/organisations/rows.ts'
import { textOfId } from '../projections/storage/rows.ts'
import { pageByTime, pageCursor } from './pageCursor.ts'

export const grantOnApp = {
  type: 'object',
  additionalProperties: false,
  required: ['appId', 'role'],
  properties: { appId: { type: 'string' }, role: grantRole },
} as const

export const memberResult = {
  type: 'object',
  additionalProperties: false,
  required: ['accountId', 'email', 'name', 'role', 'joinedAt', 'lastSignedInAt', 'keys', 'grants'],
  properties: {
    accountId: { type: 'string' },
    email: { type: 'string', nullable: true, description: 'null: signs in with the owner code' },
    name: { type: 'string', nullable: true },
    role: memberRole,
    joinedAt: { type: 'string', format: 'date-time' },
    lastSignedInAt: { type: 'string', format: 'date-time', nullable: true },
    keys: { type: 'integer', minimum: 0, description: 'Working keys of the organisation\'s apps that stand on this person: they lose what the person loses, unless they are adopted' },
    grants: { type: 'array', items: grantOnApp, description: 'On apps of the organisation, besides the role' },
  },
} as const

export const membersResult = {
  type: 'object',
  additionalProperties: false,
  required: ['members', 'nextCursor'],
  properties: { members: { type: 'array', items: memberResult }, nextCursor: { type: 'string', nullable: true } },
} as const

export interface Member {
  readonly accountId: string
  readonly email: string | null
  readonly name: string | null
  readonly role: string
  readonly joinedAt: string
  readonly lastSignedInAt: string | null
  readonly keys: number
  readonly grants: readonly { readonly appId: string; readonly role: string }[]
}

type Row = MemberRow & Partial<Pick<AccountRow, 'email' | 'name' | 'last_signed_in_at'>>

/** In the order in which they joined. `keys`: working keys by the account that answers for them. */
export async function readMembers(
  trx: Knex,
  build: number,
  organisationId: string,
  keys: ReadonlyMap<string, number>,
  { limit = LIMITS.pageDefault, cursor }: { limit?: number; cursor?: string },
): Promise<{ members: Member[]; nextCursor: string | null }> {
  const members = trx('members').where({ 'members.build': build, organisation_id: uuidToBytes(organisationId) })
  const rows = await pageByTime(members, { time: 'joined_at', id: 'members.account_id', order: 'asc' }, cursor)
    .leftJoin('accounts', (on) => void on.on('accounts.build', 'members.build').andOn('accounts.account_id', 'members.account_id'))
    .limit(limit + 1)
    .select<Row[]>('members.account_id', 'members.role', 'joined_at', 'accounts.email', 'accounts.name', 'accounts.last_signed_in_at')
  const shown = rows.slice(0, limit)
  const grants = await grantsIn(trx, build, organisationId, shown)
  const last = shown.at(-1)
  return {
    members: shown.map((row) => memberOf(row, keys, grants)),
    nextCursor: rows.length > limit && last !== undefined ? pageCursor(last.joined_at, textOfId(last.account_id)) : null,
  }
}

type Grants = ReadonlyMap<string, Member['grants']>

async function grantsIn(trx: Knex, build: number, organisationId: string, members: readonly MemberRow[]): Promise<Grants> {
  const rows = await trx('app_grants')
    .join('organisation_apps', (on) => void on.on('organisation_apps.build', 'app_grants.build').andOn('organisation_apps.app_id', 'app_grants.app_id'))
    .where({ 'app_grants.build': build, 'organisation_apps.organisation_id': uuidToBytes(organisationId) })
    .whereIn('app_grants.account_id', members.map(({ account_id }) => uuidToBytes(textOfId(account_id))))
    .orderBy('app_grants.app_id')
    .select<GrantRow[]>('app_grants.app_id', 'app_grants.account_id', 'app_grants.role')
  const found = new Map<string, Member['grants'][number][]>()
  for (const { account_id, app_id, role } of rows) {
    const accountId = textOfId(account_id)
    const own = found.get(accountId) ?? []
    own.push({ appId: textOfId(app_id), role })
    found.set(accountId, own)
  }
  return found
}

function memberOf(row: Row, keys: ReadonlyMap<string, number>, grants: Grants): Member {
  const accountId = textOfId(row.account_id)
  const signedIn = row.last_signed_in_at ?? null
  return {
    ...{ accountId, email: row.email ?? null, name: row.name ?? null, role: row.role },
    joinedAt: new Date(row.joined_at).toISOString(),
    lastSignedInAt: signedIn === null ? null : new Date(signedIn).toISOString(),
    keys: keys.get(accountId) ?? 0,
    grants: grants.get(accountId) ?? [],
  }
}
