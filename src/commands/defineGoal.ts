// Begins a goal: what counts as a conversion. It is filled from the app's first event on.
import { goalSpec } from '../events/definitionSpecs.ts'
import { goalDefined } from '../events/goalDefined.ts'
import { defineCommand } from './definitionCommand.ts'
import { checkedGoal } from './definitionInput.ts'

export const defineGoal = defineCommand({
  name: 'DefineGoal',
  kind: 'goal',
  type: goalDefined,
  schema: {
    ...goalSpec,
    ...{ title: 'DefineGoal', description: 'What counts as a conversion: an event or a page, further conditions, and where revenue comes from.' },
    examples: [{ name: 'Purchase', event: 'purchase', filter: 'metadata.plan is "pro"', value: 'value' }],
  },
  checked: checkedGoal,
})
