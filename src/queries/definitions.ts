// What an app has defined and how far it is filled. What is in force is read from the log, so that whoever defined something
// sees it at once; what serves is what the rows were folded by, so the two tell an old revision from the new one.
import { Problem } from '../errors.ts'
import { decode, type FoldEvent } from '../events/catalogue.ts'
import { allOf, type Definition, definitionHistory, definitionsStream, foldDefinitions, type HistoryEntry, type Kind, NO_DEFINITIONS } from '../events/definitions.ts'
import type { EventLog } from '../events/eventLog.ts'
import type { Database } from '../kernel/database.ts'
import { sha256 } from '../kernel/hashing.ts'
import { type Build, listBuilds, liveBuild } from '../projections/builds.ts'
import { progressOf } from '../projections/rebuildSession.ts'
import { readPlace } from './place.ts'
import type { Answer } from './query.ts'

/** The projection whose rows a kind of definition fills. */
export const FILLS: Readonly<Record<Kind, string>> = { dimension: 'web', goal: 'definitions', report: 'definitions' }

export interface DefinitionView {
  readonly definitionId: string
  readonly kind: Kind
  readonly revision: number
  readonly spec: Definition['spec']
  /** `ready` once the tables answer by this revision, from the first event on. */
  readonly state: 'filling' | 'ready'
  /** The revision that answers now; null while there is none. */
  readonly servedRevision: number | null
  readonly progress: { readonly percent: number; readonly etaSeconds: number | null } | null
}

export interface RevisionView {
  readonly change: HistoryEntry['change']
  readonly revision: number
  readonly spec: Definition['spec']
  readonly at: string
  readonly by: string | null
  readonly position: number
}

export interface DefinitionQueries {
  list(appId: string): Promise<Answer>
  /** With its history, also when it is retired. Throws Problem `not_found`. */
  one(appId: string, definitionId: string): Promise<{ readonly definition: DefinitionView & { retired: boolean }; readonly history: readonly RevisionView[] }>
  /** By which revision a definition in force is answered: the newest where none is filled yet. Throws Problem `not_found`. */
  served(appId: string, kind: Kind, definitionId: string): Promise<{ readonly revision: number; readonly newestRevision: number }>
}

export function createDefinitionQueries({ database, log }: { database: Database; log: EventLog }): DefinitionQueries {
  const historyOf = async (appId: string): Promise<FoldEvent[]> => (await log.readStream(log.partitionOf(appId), definitionsStream(appId))).map(decode)
  const views = async (appId: string, definitions: readonly Definition[]): Promise<DefinitionView[]> => {
    const served = await servedBy(database, log.partitionOf(appId), appId)
    return definitions.map((definition) => viewOf(definition, served))
  }
  return {
    async list(appId) {
      const body = { definitions: await views(appId, allOf(foldDefinitions(await historyOf(appId)))) }
      return { body, etag: `"${sha256(JSON.stringify(body)).toString('base64url').slice(0, 22)}"`, cached: false }
    },
    async one(appId, definitionId) {
      const events = await historyOf(appId)
      const history = definitionHistory(events).filter((entry) => entry.definitionId === definitionId)
      const last = history.at(-1)
      if (last === undefined) throw new Problem('not_found', 'There is no such definition')
      const { kind, revision, spec } = last
      const [definition] = await views(appId, [{ definitionId, kind, revision, spec } as Definition])
      return { definition: { ...definition!, retired: last.change === 'retired' }, history: history.map(revisionOf) }
    },
    async served(appId, kind, definitionId) {
      const found = allOf(foldDefinitions(await historyOf(appId))).find((one) => one.kind === kind && one.definitionId === definitionId)
      if (found === undefined) throw new Problem('not_found', `There is no such ${kind} in force`)
      const [view] = await views(appId, [found])
      return { revision: view!.servedRevision ?? found.revision, newestRevision: found.revision }
    },
  }
}

interface Served {
  /** By projection and definition: the revision in its rows. */
  readonly revisions: ReadonlyMap<string, number>
  /** By projection: the rebuild of the app that is under way. */
  readonly building: ReadonlyMap<string, Build>
}

async function servedBy(database: Database, partition: number, appId: string): Promise<Served> {
  return database.snapshot(async (trx) => {
    const revisions = new Map<string, number>()
    const building = new Map<string, Build>()
    for (const projection of new Set(Object.values(FILLS))) {
      const isThere = (await liveBuild(trx, projection)) !== undefined
      const defined = isThere ? (await readPlace(trx, projection, partition, appId)).defined : NO_DEFINITIONS
      for (const { definitionId, revision } of allOf(defined)) revisions.set(`${projection} ${definitionId}`, revision)
      const build = (await listBuilds(trx, projection)).find((one) => one.appId === appId && one.status === 'building')
      if (build !== undefined) building.set(projection, build)
    }
    return { revisions, building }
  })
}

function viewOf({ definitionId, kind, revision, spec }: Definition, { revisions, building }: Served): DefinitionView {
  const servedRevision = revisions.get(`${FILLS[kind]} ${definitionId}`) ?? null
  const state = servedRevision === revision ? 'ready' : 'filling'
  const build = state === 'ready' ? undefined : building.get(FILLS[kind])
  return { definitionId, kind, revision, spec, state, servedRevision, progress: build === undefined ? null : progressIn(build) }
}

function progressIn({ progress }: Build): DefinitionView['progress'] {
  const { percent, etaSeconds } = progressOf(progress.events, progress.total, progress.eventsPerSecond)
  // Before the first report nothing is known to be done.
  return { percent: progress.at === undefined ? 0 : percent, etaSeconds }
}

function revisionOf({ change, revision, spec, recordedAt, actor, position }: HistoryEntry): RevisionView {
  return { change, revision, spec, at: new Date(recordedAt).toISOString(), by: actor ?? null, position }
}
