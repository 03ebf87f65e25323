// Who may see an app besides by their role in its organisation.
import type { Knex } from 'knex'
import { grantRole, memberRole } from '../events/organisations.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import type { AccountRow, GrantRow, MemberRow } from '../projections/organisations/rows.ts'
import { textOfId } from '../projections/storage/rows.ts'
import { pageByTime, pageCursor } from './pageCursor.ts'

export const grantResult = {
  type: 'object',
  additionalProperties: false,
  required: ['accountId', 'email', 'name', 'role', 'organisationRole', 'grantedAt'],
  properties: {
    accountId: { type: 'string' },
    email: { type: 'string', nullable: true },
    name: { type: 'string', nullable: true },
    role: { ...grantRole, description: 'What was granted' },
    organisationRole: { ...memberRole, description: 'What they are in the organisation; the higher of the two counts' },
    grantedAt: { type: 'string', format: 'date-time' },
  },
} as const

export const grantsResult = {
  type: 'object',
  additionalProperties: false,
  required: ['grants', 'nextCursor'],
  properties: { grants: { type: 'array', items: grantResult }, nextCursor: { type: 'string', nullable: true } },
} as const

export interface Grant {
  readonly accountId: string
  readonly email: string | null
  readonly name: string | null
  readonly role: string
  readonly organisationRole: string
  readonly grantedAt: string
}

type Row = GrantRow & Pick<AccountRow, 'email' | 'name'> & { readonly organisation_role: MemberRow['role'] }

/** In the order in which they were granted. */
export async function readGrants(
  trx: Knex,
  build: number,
  { appId, organisationId }: { readonly appId: string; readonly organisationId: string },
  { limit = LIMITS.pageDefault, cursor }: { limit?: number; cursor?: string },
): Promise<{ grants: Grant[]; nextCursor: string | null }> {
  const ofApp = trx('app_grants').where({ 'app_grants.build': build, 'app_grants.app_id': uuidToBytes(appId), 'members.organisation_id': uuidToBytes(organisationId) })
  const rows = await pageByTime(ofApp, { time: 'granted_at', id: 'app_grants.account_id', order: 'asc' }, cursor)
    .join('members', (on) => void on.on('members.build', 'app_grants.build').andOn('members.account_id', 'app_grants.account_id'))
    .join('accounts', (on) => void on.on('accounts.build', 'app_grants.build').andOn('accounts.account_id', 'app_grants.account_id'))
    .limit(limit + 1)
    .select<Row[]>('app_grants.account_id', 'app_grants.role', 'granted_at', 'accounts.email', 'accounts.name', 'members.role as organisation_role')
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    grants: shown.map((row) => ({
      ...{ accountId: textOfId(row.account_id), email: row.email, name: row.name, role: row.role, organisationRole: row.organisation_role },
      grantedAt: new Date(row.granted_at).toISOString(),
    })),
    nextCursor: rows.length > limit && last !== undefined ? pageCursor(last.granted_at, textOfId(last.account_id)) : null,
  }
}
