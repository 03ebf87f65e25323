// A goal says something else from here on, whole and for all of history; the revision before serves until the new one is filled.
import type { GoalSpec } from './definitions.ts'
import { type DefinitionSaid, definitionSaid, goalSpec } from './definitionSpecs.ts'
import { eventType } from './eventType.ts'

export type GoalRevised = DefinitionSaid<GoalSpec>

export const goalRevised = eventType<GoalRevised>('GoalRevised', definitionSaid(goalSpec))
