// Begins an app: from here on keys can be issued for it and its events are counted together.
import { appRegistered, type AppRegistered } from '../events/appRegistered.ts'
import { DEFAULT_SETTINGS, objectSchema } from '../events/schemas.ts'
import { uuidv5 } from '../kernel/ids.ts'
import { type AppInput, appProperties, checkAppInput, settingsOf } from './appInput.ts'
import type { Command } from './commandBus.ts'
import { actingAccount } from './ownership.ts'

export interface RegisterApp extends AppInput {
  name: string
}

export const registerApp: Command<RegisterApp, { appId: string }> = {
  name: 'RegisterApp',
  schema: {
    ...objectSchema(appProperties, ['name']),
    title: 'RegisterApp',
    description: 'A new app: a site, service or product whose events are counted together.',
    examples: [{ name: 'Bakery website', url: 'https://bakery.example', timezone: 'Europe/Berlin' }],
  },
  decide(state, input, context) {
    const ownerId = actingAccount(state, context)
    checkAppInput(input)
    const appId = uuidv5(context.commandId, 'app')
    const data: AppRegistered = {
      ...{ appId, ownerId, name: input.name.trim() },
      ...(input.url === undefined ? {} : { url: input.url }),
      settings: { ...DEFAULT_SETTINGS, ...settingsOf(input) },
    }
    return { events: [{ type: appRegistered, stream: `app:${appId}`, appId, data }], result: { appId } }
  },
}
