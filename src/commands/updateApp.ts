// Changes an app's name, address or settings; what stays the same is not written, and a change of nothing is no event.
import { isDeepStrictEqual } from 'node:util'
import { appUpdated, type AppUpdated } from '../events/appUpdated.ts'
import { type AppSettings, objectSchema, uuid } from '../events/schemas.ts'
import { type AppInput, appProperties, checkAppInput, settingsOf } from './appInput.ts'
import type { Command } from './commandBus.ts'
import type { AppState } from './keyring.ts'
import { actingAccount, appFor } from './roles.ts'

export interface UpdateApp extends AppInput {
  appId: string
}

const examples = [{ timezone: 'Europe/Paris', keepQuery: ['page'] }]

/** What a client sends; the app is named by the route. */
export const updateAppBody = {
  ...objectSchema(appProperties, []),
  ...{ minProperties: 1, title: 'UpdateAppBody', description: 'What to change of an app; the rest stays as it is.', examples },
}

export const updateApp: Command<UpdateApp, { appId: string }> = {
  name: 'UpdateApp',
  schema: {
    ...objectSchema({ appId: uuid, ...appProperties }, ['appId']),
    ...{ title: 'UpdateApp', description: 'What to change of an app; the rest stays as it is.' },
  },
  // A process that goes on storing whole addresses after the app has forbidden it does harm like a revoked key.
  withdraws: true,
  decide(state, input, context) {
    const app = appFor(state, input.appId, actingAccount(state, context), 'admin')
    checkAppInput(input)
    const { appId } = app
    const data: AppUpdated = { appId, ...changes(app, input) }
    const events = Object.keys(data).length === 1 ? [] : [{ type: appUpdated, stream: `app:${appId}`, appId, data }]
    return { events, result: { appId } }
  },
}

function changes(app: AppState, input: UpdateApp): Omit<AppUpdated, 'appId'> {
  const settings = Object.fromEntries(
    Object.entries(settingsOf(input)).filter(([name, value]) => !isDeepStrictEqual(value, app.settings[name as keyof AppSettings])),
  ) as Partial<AppSettings>
  const name = input.name?.trim()
  return {
    ...(name === undefined || name === app.name ? {} : { name }),
    ...(input.url === undefined || input.url === app.url ? {} : { url: input.url }),
    ...(Object.keys(settings).length === 0 ? {} : { settings }),
  }
}
