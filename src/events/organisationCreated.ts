// An organisation exists: people who own apps together. Nobody outside it learns that it does.
import { eventType } from './eventType.ts'
import { name, objectSchema, uuid } from './schemas.ts'

export interface OrganisationCreated {
  organisationId: string
  name: string
}

export const organisationCreated = eventType<OrganisationCreated>(
  'OrganisationCreated',
  objectSchema({ organisationId: uuid, name }, ['organisationId', 'name']),
)
