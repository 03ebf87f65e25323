// Makes a metadata key a dimension that is answered from the read tables, filled from the app's first event on.
import { dimensionDefined } from '../events/dimensionDefined.ts'
import { dimensionSpec } from '../events/definitionSpecs.ts'
import { defineCommand } from './definitionCommand.ts'
import { checkedDimension } from './definitionInput.ts'

export const defineDimension = defineCommand({
  name: 'DefineDimension',
  kind: 'dimension',
  type: dimensionDefined,
  schema: {
    ...dimensionSpec,
    ...{ title: 'DefineDimension', description: 'A metadata key that becomes a dimension of the read tables.', examples: [{ key: 'plan' }] },
  },
  checked: checkedDimension,
})
