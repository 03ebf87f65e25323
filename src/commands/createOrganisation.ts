// Begins an organisation; whoever runs the installation makes it and owns it, until they invite its owners.
import { Problem } from '../errors.ts'
import { organisationCreated, type OrganisationCreated } from '../events/organisationCreated.ts'
import { FIRST_ORGANISATION } from '../events/organisations.ts'
import { objectSchema } from '../events/schemas.ts'
import { NIL_UUID, uuidv5 } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import { label } from './appInput.ts'
import type { Command } from './commandBus.ts'
import { joined } from './joining.ts'
import { actingAccount, isOperator } from './roles.ts'

export interface CreateOrganisation {
  name: string
}

export const organisationName = { ...label, description: 'What people call the organisation.', examples: ['The Bakery'] } as const

export const createOrganisation: Command<CreateOrganisation, { organisationId: string }> = {
  name: 'CreateOrganisation',
  schema: {
    ...objectSchema({ name: organisationName }, ['name']),
    ...{ title: 'CreateOrganisation', description: 'A new organisation: people who own apps together.', examples: [{ name: 'The Bakery' }] },
  },
  decide(state, input, context) {
    const accountId = actingAccount(state, context)
    if (!isOperator(state, accountId)) throw new Problem('forbidden', 'Only owners of the first organisation may make organisations')
    if ([...state.organisations()].length >= LIMITS.organisations) throw new Problem('limit_reached', `There are at most ${LIMITS.organisations} organisations`)
    const organisationId = uuidv5(context.commandId, 'organisation')
    const data: OrganisationCreated = { organisationId, name: input.name.trim() }
    return {
      events: [
        { type: organisationCreated, stream: `organisation:${organisationId}`, appId: NIL_UUID, data },
        joined({ organisationId, accountId, role: 'owner', through: 'founding' }),
      ],
      result: { organisationId },
      guards: [`organisation:${FIRST_ORGANISATION}`],
    }
  },
}
