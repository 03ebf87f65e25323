// An app is gone: its keys die, its events stop counting, its history stays sealed in the log.
import { eventType } from './eventType.ts'
import { objectSchema, uuid } from './schemas.ts'

export interface AppDeleted {
  appId: string
}

export const appDeleted = eventType<AppDeleted>('AppDeleted', objectSchema({ appId: uuid }, ['appId']))
