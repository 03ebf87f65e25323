// Lets a member of the app's organisation do more on this one app than their role in the organisation says. A new grant takes
// the place of the old one, which may have been higher.
import { appGranted, type AppGranted } from '../events/appGranted.ts'
import { grantRole, type GrantRole } from '../events/organisations.ts'
import { objectSchema, uuid } from '../events/schemas.ts'
import type { Command } from './commandBus.ts'
import { actingAccount, appFor, memberOf } from './roles.ts'

export interface GrantApp {
  appId: string
  accountId: string
  role: GrantRole
}

const properties = { role: { ...grantRole, description: 'The least that they may do on the app.' } } as const

/** What a client sends; app and member are named by the route. */
export const grantAppBody = {
  ...objectSchema(properties, ['role']),
  ...{ title: 'GrantAppBody', description: 'What is granted on the app.', examples: [{ role: 'analyst' }] },
}

export const grantApp: Command<GrantApp, GrantApp> = {
  name: 'GrantApp',
  schema: {
    ...objectSchema({ appId: uuid, accountId: uuid, ...properties }, ['appId', 'accountId', 'role']),
    ...{ title: 'GrantApp', description: 'What a member is granted on an app.' },
  },
  withdraws: true,
  decide(state, { appId, accountId, role }, context) {
    const { organisationId } = appFor(state, appId, actingAccount(state, context), 'admin')
    memberOf(state, organisationId, accountId)
    const data: AppGranted = { appId, accountId, role }
    return {
      events: state.grant(appId, accountId) === role ? [] : [{ type: appGranted, stream: `app:${appId}`, appId, data }],
      result: data,
      // Neither the one who grants nor the one who is granted may have left meanwhile.
      guards: [`organisation:${organisationId}`],
    }
  },
}
