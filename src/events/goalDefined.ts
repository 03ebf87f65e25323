// A goal begins: what counts as a conversion, from the app's first event on.
import type { GoalSpec } from './definitions.ts'
import { type DefinitionSaid, definitionSaid, goalSpec } from './definitionSpecs.ts'
import { eventType } from './eventType.ts'

export type GoalDefined = DefinitionSaid<GoalSpec>

export const goalDefined = eventType<GoalDefined>('GoalDefined', definitionSaid(goalSpec))
