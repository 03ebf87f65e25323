// A definition as one of its revisions says it: from the log, which keeps all of them, and from the rows, which hold one.
import { Problem } from '../errors.ts'
import { decode } from '../events/catalogue.ts'
import { allOf, type Definition, definitionHistory, definitionsStream, type Kind } from '../events/definitions.ts'
import { localDays } from '../kernel/calendar.ts'
import { readDefinedExtent } from '../projections/definitions/read.ts'
import type { Range, Snapshot } from './query.ts'

export interface RevisionParams {
  readonly definitionId: string
  readonly revision: number
}

/** Throws Problem `not_found`. */
export async function specOf({ log, appId }: Snapshot, kind: Kind, { definitionId, revision }: RevisionParams): Promise<Definition['spec']> {
  const events = await log.readStream(log.partitionOf(appId), definitionsStream(appId))
  const found = definitionHistory(events.map(decode)).find((entry) => entry.definitionId === definitionId && entry.revision === revision)
  if (found?.kind !== kind) throw new Problem('not_found', `There is no such ${kind}`)
  return found.spec
}

/** Undefined where the rows were not folded by this revision. */
export function servedSpec({ defined }: Snapshot, { definitionId, revision }: RevisionParams): Definition['spec'] | undefined {
  return allOf(defined).find((one) => one.definitionId === definitionId && one.revision === revision)?.spec
}

/** Of everything counted; where no rows are yet, everything there may be. */
export async function definedExtent(snapshot: Snapshot): Promise<Pick<Range, 'fromMs' | 'toMs'>> {
  const extent = await readDefinedExtent(snapshot)
  if (extent === undefined) return { fromMs: 0, toMs: 0 }
  return { fromMs: extent.first, toMs: localDays(snapshot.timezone).at(extent.last).toMs }
}
