// The app's settings, whole, in the app's own partition: a fold never reads outside its partition, so what it needs of the
// control partition is repeated here (ADR 0002).
import { eventType } from './eventType.ts'
import { type AppSettings, objectSchema, settingsProperties } from './schemas.ts'

export interface AppSettingsApplied extends AppSettings {
  /** True once the app was deleted. */
  deleted?: true
}

export const appSettingsApplied = eventType<AppSettingsApplied>(
  'AppSettingsApplied',
  objectSchema({ ...settingsProperties, deleted: { const: true } }, ['timezone', 'ip', 'keepQuery']),
)
