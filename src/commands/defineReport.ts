// Begins a report: measures of the events that pass its conditions, by dimensions and time. It is filled from the app's
// first event on.
import { reportSpec } from '../events/definitionSpecs.ts'
import { reportDefined } from '../events/reportDefined.ts'
import { defineCommand } from './definitionCommand.ts'
import { checkedReport } from './definitionInput.ts'

export const defineReport = defineCommand({
  name: 'DefineReport',
  kind: 'report',
  type: reportDefined,
  schema: {
    ...reportSpec,
    ...{ title: 'DefineReport', description: 'Measures of the events that pass the conditions, by up to two dimensions and by time.' },
    examples: [{ name: 'Edits by page', event: 'edit', measures: [{ measure: 'count' }, { measure: 'sum', of: 'metadata.added' }], dimensions: ['metadata.page'], interval: 'day' }],
  },
  checked: checkedReport,
})
