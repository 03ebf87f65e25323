// Faults of processes: they are killed, told to end, frozen and cut off, at named points and at any moment.
import type { Fault } from './support/fault.ts'
import { CLUSTERED } from './processFaults/clustered.ts'
import { FROZEN } from './processFaults/frozen.ts'
import { KILLED } from './processFaults/killed.ts'
import { REBUILDING } from './processFaults/rebuilding.ts'

export const PROCESS_FAULTS: readonly Fault[] = [...KILLED, ...FROZEN, ...CLUSTERED, ...REBUILDING]
