// What an organisation is to other events: its first id, the roles in it, and how a role is written down.
import { NIL_UUID, uuidv5 } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import { objectSchema } from './schemas.ts'

/** The organisation that is there from the beginning: that of the first owner, whose owners run the installation. */
export const FIRST_ORGANISATION = uuidv5(NIL_UUID, 'organisation')
/** What it is called until somebody names it. */
export const FIRST_ORGANISATION_NAME = 'My organisation'

/** From the least to the most; each may do what those before it may. */
export const ROLES = ['viewer', 'analyst', 'admin', 'owner'] as const
export type Role = (typeof ROLES)[number]

/** A guest has no role in the organisation, and on its apps only what was granted. */
export const MEMBER_ROLES = ['guest', ...ROLES] as const
export type MemberRole = (typeof MEMBER_ROLES)[number]

/** What can be granted on one app: everything but to own it. */
export const GRANT_ROLES = ['viewer', 'analyst', 'admin'] as const
export type GrantRole = (typeof GRANT_ROLES)[number]

export const memberRole = { type: 'string', enum: MEMBER_ROLES } as const
export const grantRole = { type: 'string', enum: GRANT_ROLES } as const

/** As Google sent it, verified; compared without regard to case. */
export const email = { type: 'string', minLength: 3, maxLength: LIMITS.emailChars, pattern: '^[^\\s@]+@[^\\s@]+$', 'x-words': 'an e-mail address' } as const

export interface AllowedDomain {
  /** Lower case, such as bakery.example. */
  domain: string
  /** What its people become when they sign in for the first time. */
  role: Exclude<MemberRole, 'owner'>
}

export const allowedDomains = {
  type: 'array',
  maxItems: LIMITS.allowedDomains,
  items: objectSchema(
    {
      domain: { type: 'string', maxLength: 253, pattern: '^[a-z0-9-]+(\\.[a-z0-9-]+)+$', 'x-words': 'a domain in lower case, such as bakery.example' },
      role: { type: 'string', enum: ['guest', 'viewer', 'analyst', 'admin'] },
    },
    ['domain', 'role'],
  ),
} as const
