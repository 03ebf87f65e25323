// By what a build counts an app: the zone in which its days are cut and the definitions its rows are filled by. Both are
// constant for the app's whole life in a build; a change of either is a rebuild of the app.
import { appSettingsApplied, type AppSettingsApplied } from '../events/appSettingsApplied.ts'
import { decode, type FoldEvent } from '../events/catalogue.ts'
import { type Definitions, definitionsStream, foldDefinitions, NO_DEFINITIONS } from '../events/definitions.ts'
import type { EventLog } from '../events/eventLog.ts'
import { DEFAULT_SETTINGS } from '../events/schemas.ts'
import { Lru } from '../kernel/lru.ts'
import { LIMITS } from '../limits.ts'
import type { Projection } from './projection.ts'

/** A zone and the position of the settings event that says so. */
export interface Zone {
  readonly timezone: string
  readonly zonePosition: number
}

export interface Terms extends Zone {
  /** As far as the projection picks them. */
  readonly definitions: Definitions
  /** Of the last event that is in them. */
  readonly definitionsPosition: number
}

/** What of an app's terms the rows of a projection depend on. */
export type Depends = Pick<Projection, 'zoned' | 'defined'>

/** Where the terms of apps come from that a build has not met yet; those it does not answer for start with the default. */
export type FirstTerms = (appIds: readonly string[]) => Promise<ReadonlyMap<string, Terms>>

export const DEFAULT_TERMS: Terms = { timezone: DEFAULT_SETTINGS.timezone, zonePosition: 0, definitions: NO_DEFINITIONS, definitionsPosition: 0 }

/** Live builds learn an app's terms from the events they pass; its first settings come before its first event. */
export const termsFromEvents: FirstTerms = () => Promise.resolve(new Map())

/** The terms of an app now, for builds that are made to apply them to all of history. */
export async function newestTerms(log: Pick<EventLog, 'readStream' | 'partitionOf'>, projection: Depends, appId: string): Promise<Terms> {
  const partition = log.partitionOf(appId)
  const settings = (await log.readStream(partition, `settings:${appId}`)).at(-1)
  const timezone = settings === undefined ? undefined : zoneIn(decode(settings))
  const zone = { timezone: timezone ?? DEFAULT_TERMS.timezone, zonePosition: settings?.position ?? 0 }
  if (projection.defined === undefined) return { ...DEFAULT_TERMS, ...zone }
  const said = await log.readStream(partition, definitionsStream(appId))
  return { ...zone, definitions: pick(projection, foldDefinitions(said.map(decode))), definitionsPosition: said.at(-1)?.position ?? 0 }
}

const APPS_AT_ONCE = 16

/** The newest terms of every app that a whole build meets. */
export function newestTermsIn(log: EventLog, projection: Depends): FirstTerms {
  return async (appIds) => {
    const terms = new Map<string, Terms>()
    for (let start = 0; start < appIds.length; start += APPS_AT_ONCE) {
      const some = appIds.slice(start, start + APPS_AT_ONCE)
      const found = await Promise.all(some.map((appId) => newestTerms(log, projection, appId)))
      for (const [index, appId] of some.entries()) terms.set(appId, found[index]!)
    }
    return terms
  }
}

export function sameTerms(one: Terms, other: Terms): boolean {
  return one.timezone === other.timezone && formatDefinitions(one.definitions) === formatDefinitions(other.definitions)
}

export function pick({ defined }: Depends, definitions: Definitions): Definitions {
  return defined?.(definitions) ?? NO_DEFINITIONS
}

/** Undefined when a settings event says nothing of a zone. */
export function zoneIn(event: FoldEvent): string | undefined {
  return event.type === appSettingsApplied.type ? (event.data as AppSettingsApplied | null)?.timezone : undefined
}

/** As a build keeps them: null for none. */
export function formatDefinitions(definitions: Definitions): string | null {
  const { dimensions, goals, reports } = definitions
  return dimensions.length + goals.length + reports.length === 0 ? null : JSON.stringify({ dimensions, goals, reports })
}

const read = new Lru<string, Definitions>(LIMITS.definitionsRead)

/** The same object for the same text, so that what is made of it can be kept by it. */
export function parseDefinitions(text: string | null): Definitions {
  if (text === null) return NO_DEFINITIONS
  let definitions = read.get(text)
  if (definitions === undefined) read.set(text, (definitions = JSON.parse(text) as Definitions))
  return definitions
}
