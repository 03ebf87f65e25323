// Hands an app to another organisation. Grants on it end; its keys go on as those of whoever transfers it, because their
// issuers may not belong to the other organisation, and sites must not lose events over it.
import { Problem } from '../errors.ts'
import { appTransferred, type AppTransferred } from '../events/appTransferred.ts'
import { objectSchema, uuid } from '../events/schemas.ts'
import type { Command } from './commandBus.ts'
import { adoptedOnApp } from './leaving.ts'
import { actingAccount, appFor, organisationFor } from './roles.ts'

export interface TransferApp {
  appId: string
  organisationId: string
}

const properties = { organisationId: { ...uuid, description: 'Whose it becomes; you must be an admin there.' } } as const

/** What a client sends; the app is named by the route. */
export const transferAppBody = {
  ...objectSchema(properties, ['organisationId']),
  ...{ title: 'TransferAppBody', description: 'The organisation that gets the app.', examples: [{ organisationId: '5f0c2a52-0d7e-5b1c-9c7e-2f6a3b1d4e5f' }] },
}

export const transferApp: Command<TransferApp, TransferApp> = {
  name: 'TransferApp',
  schema: {
    ...objectSchema({ appId: uuid, ...properties }, ['appId', 'organisationId']),
    ...{ title: 'TransferApp', description: 'Which organisation gets an app.' },
  },
  withdraws: true,
  decide(state, { appId, organisationId }, context) {
    const actor = actingAccount(state, context)
    const app = appFor(state, appId, actor, 'owner')
    organisationFor(state, organisationId, actor, 'admin')
    const from = app.organisationId
    if (from === organisationId) {
      throw new Problem('invalid_body', undefined, { errors: [{ path: '/organisationId', detail: 'must be another organisation: this one has the app already' }] })
    }
    const data: AppTransferred = { appId, from, organisationId }
    return {
      events: [{ type: appTransferred, stream: `app:${appId}`, appId, data }, ...adoptedOnApp(state, app, actor, context.now)],
      result: { appId, organisationId },
      guards: [`organisation:${from}`, `organisation:${organisationId}`],
    }
  },
}
