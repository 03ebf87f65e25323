// Whoever holds the link may join the organisation, once, until it expires. Only the link's hash is here.
import { eventType } from './eventType.ts'
import { email, type GrantRole, grantRole, type MemberRole, memberRole } from './organisations.ts'
import { LIMITS } from '../limits.ts'
import { epochMs, objectSchema, uuid } from './schemas.ts'

export interface MemberInvited {
  invitationId: string
  organisationId: string
  role: MemberRole
  /** Grants on apps that come with it. */
  apps?: { appId: string; role: GrantRole }[]
  /** Whom it is for; absent: whoever holds the link. */
  email?: string
  /** SHA-256 of the token in the link, 64 hex digits. */
  tokenHash: string
  /** Epoch milliseconds. */
  expiresAt: number
}

export const memberInvited = eventType<MemberInvited>(
  'MemberInvited',
  objectSchema(
    {
      invitationId: uuid,
      organisationId: uuid,
      role: memberRole,
      apps: { type: 'array', maxItems: LIMITS.grantsPerInvitation, items: objectSchema({ appId: uuid, role: grantRole }, ['appId', 'role']) },
      email,
      tokenHash: { type: 'string', pattern: '^[0-9a-f]{64}$' },
      expiresAt: epochMs,
    },
    ['invitationId', 'organisationId', 'role', 'tokenHash', 'expiresAt'],
  ),
)
