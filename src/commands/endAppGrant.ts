// Takes back what a member was granted on an app; what their role in the organisation says stays. Ending what was not granted
// changes nothing and answers the same, because a client that saw no answer must be able to ask again.
import { appGrantEnded, type AppGrantEnded } from '../events/appGrantEnded.ts'
import { objectSchema, uuid } from '../events/schemas.ts'
import type { Command } from './commandBus.ts'
import { actingAccount, appFor, memberOf } from './roles.ts'

export interface EndAppGrant {
  appId: string
  accountId: string
}

export const endAppGrant: Command<EndAppGrant, EndAppGrant> = {
  name: 'EndAppGrant',
  schema: {
    ...objectSchema({ appId: uuid, accountId: uuid }, ['appId', 'accountId']),
    ...{ title: 'EndAppGrant', description: 'Whose grant on an app ends.' },
  },
  withdraws: true,
  decide(state, { appId, accountId }, context) {
    const { organisationId } = appFor(state, appId, actingAccount(state, context), 'admin')
    memberOf(state, organisationId, accountId)
    const data: AppGrantEnded = { appId, accountId }
    return {
      events: state.grant(appId, accountId) === undefined ? [] : [{ type: appGrantEnded, stream: `app:${appId}`, appId, data }],
      result: data,
      guards: [`organisation:${organisationId}`],
    }
  },
}
