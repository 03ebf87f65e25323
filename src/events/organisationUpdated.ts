// An organisation's name, or whose domains may join it, changed; only what changed is here.
import { eventType } from './eventType.ts'
import { type AllowedDomain, allowedDomains } from './organisations.ts'
import { name, objectSchema, uuid } from './schemas.ts'

export interface OrganisationUpdated {
  organisationId: string
  name?: string
  allowedDomains?: AllowedDomain[]
}

export const organisationUpdated = eventType<OrganisationUpdated>(
  'OrganisationUpdated',
  objectSchema({ organisationId: uuid, name, allowedDomains }, ['organisationId']),
)
