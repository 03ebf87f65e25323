// Every read model there is. What is listed here is folded, rebuilt, verified and shown.
import { apps } from './apps.ts'
import { keys } from './keys.ts'
import { keyUse } from './keyUse.ts'
import type { Projection } from './projection.ts'

export const PROJECTIONS: readonly Projection[] = [apps, keys, keyUse] as readonly Projection[]
