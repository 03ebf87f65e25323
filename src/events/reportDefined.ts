// A report begins: what is measured of which events, from the app's first event on.
import type { ReportSpec } from './definitions.ts'
import { type DefinitionSaid, definitionSaid, reportSpec } from './definitionSpecs.ts'
import { eventType } from './eventType.ts'

export type ReportDefined = DefinitionSaid<ReportSpec>

export const reportDefined = eventType<ReportDefined>('ReportDefined', definitionSaid(reportSpec))
