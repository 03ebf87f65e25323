// The report is no longer in force: it is served no more, and its name may be used again. Its history stays.
import { type DefinitionRetired, definitionRetired } from './definitionSpecs.ts'
import { eventType } from './eventType.ts'

export const reportRetired = eventType<DefinitionRetired>('ReportRetired', definitionRetired)
