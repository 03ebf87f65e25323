// Every read model there is. What is listed here is folded, rebuilt, verified and shown.
import { apps } from './apps.ts'
import { audit } from './audit/audit.ts'
import { definitions } from './definitions/definitions.ts'
import { eventSummary } from './eventSummary/eventSummary.ts'
import { keys } from './keys.ts'
import { keyUse } from './keyUse.ts'
import { organisations } from './organisations/organisations.ts'
import type { Projection } from './projection.ts'
import { restatements } from './restatements/restatements.ts'
import { userStats } from './userStats/userStats.ts'
import { web } from './web/web.ts'

export const PROJECTIONS: readonly Projection[] = [apps, keys, organisations, audit, keyUse, eventSummary, userStats, restatements, web, definitions] as readonly Projection[]
