// An app exists: a site, service or product whose events are counted together.
import { eventType } from './eventType.ts'
import { type AppSettings, name, objectSchema, settingsProperties, url, uuid } from './schemas.ts'

export interface AppRegistered {
  appId: string
  /** The account that registered it. */
  ownerId: string
  /** Absent: the first organisation, which was the only one then. */
  organisationId?: string
  name: string
  url?: string
  settings: AppSettings
}

export const appRegistered = eventType<AppRegistered>(
  'AppRegistered',
  objectSchema(
    {
      appId: uuid,
      ownerId: uuid,
      organisationId: uuid,
      name,
      url,
      settings: objectSchema(settingsProperties, ['timezone', 'ip', 'keepQuery']),
    },
    ['appId', 'ownerId', 'name', 'settings'],
  ),
)
