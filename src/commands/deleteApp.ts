// Ends an app: its keys die with it and its events stop counting. Its history stays in the log.
import { appDeleted, type AppDeleted } from '../events/appDeleted.ts'
import { objectSchema, uuid } from '../events/schemas.ts'
import type { Command } from './commandBus.ts'
import { actingAccount, appFor } from './roles.ts'

export interface DeleteApp {
  appId: string
}

export const deleteApp: Command<DeleteApp, { appId: string }> = {
  name: 'DeleteApp',
  schema: {
    ...objectSchema({ appId: uuid }, ['appId']),
    ...{ title: 'DeleteApp', description: 'Which app to delete. All its keys stop working at once.' },
  },
  withdraws: true,
  decide(state, { appId }, context) {
    appFor(state, appId, actingAccount(state, context), 'owner')
    const data: AppDeleted = { appId }
    return { events: [{ type: appDeleted, stream: `app:${appId}`, appId, data }], result: { appId } }
  },
}
