// What the environment asks of the fault suite. Every fault there is, or those that FAULT_ONLY names: parts of their names, separated by `|`.
import { PROCESS_FAULTS } from '../processFaults.ts'
import { STORE_FAULTS } from '../storeFaults.ts'
import type { Fault } from './fault.ts'

/** A suite that drew its faults from no number would draw none, and pass. */
export function wholeFrom(variable: string, otherwise: number): number {
  const text = process.env[variable]
  if (text === undefined) return otherwise
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 1) throw new Error(`${variable}=${text} is no whole number from 1`)
  return number
}

export function chosenFaults(): readonly Fault[] {
  const only = process.env['FAULT_ONLY']?.split('|')
  const chosen = [...PROCESS_FAULTS, ...STORE_FAULTS].filter(({ name }) => only === undefined || only.some((part) => name.includes(part)))
  if (chosen.length === 0) throw new Error(`no fault's name has any of ${only!.join(', ')} in it`)
  return chosen
}
