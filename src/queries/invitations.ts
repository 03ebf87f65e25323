// Who has been invited into an organisation and what came of it. The links themselves are known to nobody: they were shown
// once to whoever made them.
import type { Knex } from 'knex'
import { memberRole } from '../events/organisations.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import type { InvitationRow } from '../projections/organisations/rows.ts'
import { textOfId } from '../projections/storage/rows.ts'
import { grantOnApp } from './members.ts'
import { pageByTime, pageCursor } from './pageCursor.ts'

export const INVITATION_STATES = ['open', 'accepted', 'revoked', 'expired'] as const

const instant = { type: 'string', format: 'date-time' } as const

export const invitationResult = {
  type: 'object',
  additionalProperties: false,
  required: ['invitationId', 'state', 'role', 'apps', 'email', 'invitedBy', 'createdAt', 'expiresAt', 'endedAt', 'acceptedBy'],
  properties: {
    invitationId: { type: 'string' },
    state: { type: 'string', enum: INVITATION_STATES, description: 'At the time of the answer' },
    role: memberRole,
    apps: { type: 'array', items: grantOnApp, description: 'Grants that come with it' },
    email: { type: 'string', nullable: true, description: 'null: for whoever holds the link' },
    invitedBy: { type: 'string', nullable: true, description: 'The account' },
    createdAt: instant,
    expiresAt: instant,
    endedAt: { ...instant, nullable: true, description: 'When it was accepted or revoked' },
    acceptedBy: { type: 'string', nullable: true, description: 'The account' },
  },
} as const

export const invitationsResult = {
  type: 'object',
  additionalProperties: false,
  required: ['invitations', 'nextCursor'],
  properties: { invitations: { type: 'array', items: invitationResult }, nextCursor: { type: 'string', nullable: true } },
} as const

export interface Invitation {
  readonly invitationId: string
  readonly state: string
  readonly role: string
  readonly apps: readonly { readonly appId: string; readonly role: string }[]
  readonly email: string | null
  readonly invitedBy: string | null
  readonly createdAt: string
  readonly expiresAt: string
  readonly endedAt: string | null
  readonly acceptedBy: string | null
}

/** Newest first; `now` (epoch milliseconds) decides which have expired. */
export async function readInvitations(
  trx: Knex,
  build: number,
  organisationId: string,
  now: number,
  { limit = LIMITS.pageDefault, cursor }: { limit?: number; cursor?: string },
): Promise<{ invitations: Invitation[]; nextCursor: string | null }> {
  const query = trx('invitations').where({ build, organisation_id: uuidToBytes(organisationId) })
  const rows = await pageByTime(query, { time: 'created_at', id: 'invitation_id', order: 'desc' }, cursor)
    .limit(limit + 1)
    .select<InvitationRow[]>('*')
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    invitations: shown.map((row) => invitationOf(row, now)),
    nextCursor: rows.length > limit && last !== undefined ? pageCursor(last.created_at, textOfId(last.invitation_id)) : null,
  }
}

function invitationOf(row: InvitationRow, now: number): Invitation {
  return {
    invitationId: textOfId(row.invitation_id),
    state: row.state === 'open' && row.expires_at <= now ? 'expired' : row.state,
    role: row.role,
    apps: JSON.parse(row.apps) as Invitation['apps'],
    email: row.email,
    invitedBy: row.invited_by === null ? null : textOfId(row.invited_by),
    createdAt: new Date(row.created_at).toISOString(),
    expiresAt: new Date(row.expires_at).toISOString(),
    endedAt: row.ended_at === null ? null : new Date(row.ended_at).toISOString(),
    acceptedBy: row.accepted_by === null ? null : textOfId(row.accepted_by),
  }
}
