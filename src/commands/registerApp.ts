// Begins an app: from here on keys can be issued for it and its events are counted together.
import { Problem } from '../errors.ts'
import { appRegistered, type AppRegistered } from '../events/appRegistered.ts'
import { DEFAULT_SETTINGS, objectSchema, uuid } from '../events/schemas.ts'
import { uuidv5 } from '../kernel/ids.ts'
import { type AppInput, appProperties, checkAppInput, settingsOf } from './appInput.ts'
import type { Command } from './commandBus.ts'
import type { ControlState } from './keyring.ts'
import { actingAccount, atLeast, organisationFor } from './roles.ts'

export interface RegisterApp extends AppInput {
  name: string
  organisationId?: string
}

export const registerApp: Command<RegisterApp, { appId: string }> = {
  name: 'RegisterApp',
  schema: {
    ...objectSchema({ ...appProperties, organisationId: { ...uuid, description: 'The organisation it belongs to; needed where you may register apps in several.' } }, ['name']),
    title: 'RegisterApp',
    description: 'A new app: a site, service or product whose events are counted together.',
    examples: [{ name: 'Bakery website', url: 'https://bakery.example', timezone: 'Europe/Berlin' }],
  },
  decide(state, input, context) {
    const ownerId = actingAccount(state, context)
    const organisationId = organisationOf(state, ownerId, input.organisationId)
    checkAppInput(input)
    const appId = uuidv5(context.commandId, 'app')
    const data: AppRegistered = {
      ...{ appId, ownerId, organisationId, name: input.name.trim() },
      ...(input.url === undefined ? {} : { url: input.url }),
      settings: { ...DEFAULT_SETTINGS, ...settingsOf(input) },
    }
    return { events: [{ type: appRegistered, stream: `app:${appId}`, appId, data }], result: { appId } }
  },
}

/** The one that was named, or the only one in which the account may register apps. */
function organisationOf(state: ControlState, accountId: string, named: string | undefined): string {
  if (named !== undefined) return organisationFor(state, named, accountId, 'admin').organisation.organisationId
  const mine = [...state.membershipsOf(accountId)].filter(({ role }) => atLeast(role, 'admin'))
  if (mine.length === 1) return mine[0]!.organisationId
  if (mine.length === 0) throw new Problem('forbidden', 'This takes the role admin in an organisation')
  throw new Problem('invalid_body', undefined, { errors: [{ path: '/organisationId', detail: 'is required: you may register apps in several organisations' }] })
}
