// Every fault there is, or those that FAULT_ONLY names: parts of their names, separated by `|`.
import { PROCESS_FAULTS } from '../processFaults.ts'
import { STORE_FAULTS } from '../storeFaults.ts'
import type { Fault } from './fault.ts'

export function chosenFaults(): readonly Fault[] {
  const only = process.env['FAULT_ONLY']?.split('|')
  const chosen = [...PROCESS_FAULTS, ...STORE_FAULTS].filter(({ name }) => only === undefined || only.some((part) => name.includes(part)))
  if (chosen.length === 0) throw new Error(`no fault's name has any of ${only!.join(', ')} in it`)
  return chosen
}
