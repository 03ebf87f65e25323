// From here on a metadata key is a dimension, filled from the app's first event on.
import type { DimensionSpec } from './definitions.ts'
import { type DefinitionSaid, definitionSaid, dimensionSpec } from './definitionSpecs.ts'
import { eventType } from './eventType.ts'

export type DimensionDefined = DefinitionSaid<DimensionSpec>

export const dimensionDefined = eventType<DimensionDefined>('DimensionDefined', definitionSaid(dimensionSpec))
