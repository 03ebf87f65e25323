// An app's name, address or settings changed; only what changed is here.
import { eventType } from './eventType.ts'
import { type AppSettings, name, objectSchema, settingsProperties, url, uuid } from './schemas.ts'

export interface AppUpdated {
  appId: string
  name?: string
  url?: string
  settings?: Partial<AppSettings>
}

export const appUpdated = eventType<AppUpdated>(
  'AppUpdated',
  objectSchema({ appId: uuid, name, url, settings: objectSchema(settingsProperties, []) }, ['appId']),
)
