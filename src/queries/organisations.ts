// What organisations an account belongs to, and one of them. The reader's role comes from the keyring: what it allows is
// what it says.
import type { Knex } from 'knex'
import { Problem } from '../errors.ts'
import { type AllowedDomain, allowedDomains, memberRole, type MemberRole } from '../events/organisations.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import type { OrganisationRow } from '../projections/organisations/rows.ts'
import { textOfId } from '../projections/storage/rows.ts'
import { idCursor } from './apps.ts'

const instant = { type: 'string', format: 'date-time' } as const

export const organisationResult = {
  type: 'object',
  additionalProperties: false,
  required: ['organisationId', 'name', 'role', 'allowedDomains', 'createdAt', 'updatedAt'],
  properties: {
    organisationId: { type: 'string' },
    name: { type: 'string' },
    role: { ...memberRole, description: 'Yours' },
    allowedDomains: { ...allowedDomains, nullable: true, description: 'Whose people get in without an invitation, and as what; null where your role is below admin' },
    createdAt: instant,
    updatedAt: instant,
  },
} as const

export const organisationsResult = {
  type: 'object',
  additionalProperties: false,
  required: ['organisations', 'nextCursor'],
  properties: { organisations: { type: 'array', items: organisationResult }, nextCursor: { type: 'string', nullable: true } },
} as const

export interface Organisation {
  readonly organisationId: string
  readonly name: string
  readonly role: MemberRole
  readonly allowedDomains: readonly AllowedDomain[] | null
  readonly createdAt: string
  readonly updatedAt: string
}

/** Of those that the reader belongs to, by id, with their role in each. */
export async function readOrganisations(
  trx: Knex,
  build: number,
  roles: ReadonlyMap<string, MemberRole>,
  { limit = LIMITS.pageDefault, cursor }: { limit?: number; cursor?: string },
): Promise<{ organisations: Organisation[]; nextCursor: string | null }> {
  const after = cursor === undefined ? '' : idCursor(cursor)
  const wanted = [...roles.keys()].filter((id) => id > after).sort().slice(0, limit + 1)
  const shown = wanted.slice(0, limit)
  const rows = await trx('organisations').where({ build }).whereIn('organisation_id', shown.map(uuidToBytes)).orderBy('organisation_id').select<OrganisationRow[]>('*')
  const organisations = rows.map((row) => organisationOf(row, roles.get(textOfId(row.organisation_id))!))
  return { organisations, nextCursor: wanted.length > limit ? shown.at(-1)! : null }
}

export async function readOrganisation(trx: Knex, build: number, organisationId: string, role: MemberRole): Promise<Organisation> {
  const row = await trx('organisations').where({ build, organisation_id: uuidToBytes(organisationId) }).first<OrganisationRow | undefined>()
  if (row === undefined) throw new Problem('not_found', 'There is no such organisation')
  return organisationOf(row, role)
}

function organisationOf(row: OrganisationRow, role: MemberRole): Organisation {
  return {
    organisationId: textOfId(row.organisation_id),
    name: row.name,
    role,
    allowedDomains: role === 'admin' || role === 'owner' ? (JSON.parse(row.allowed_domains) as AllowedDomain[]) : null,
    createdAt: new Date(row.created_at).toISOString(),
    updatedAt: new Date(row.updated_at).toISOString(),
  }
}
