// A report says something else from here on, whole and for all of history; the revision before serves until the new one is filled.
import type { ReportSpec } from './definitions.ts'
import { type DefinitionSaid, definitionSaid, reportSpec } from './definitionSpecs.ts'
import { eventType } from './eventType.ts'

export type ReportRevised = DefinitionSaid<ReportSpec>

export const reportRevised = eventType<ReportRevised>('ReportRevised', definitionSaid(reportSpec))
