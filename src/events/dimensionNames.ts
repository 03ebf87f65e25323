// By what numbers can be broken down and filtered, by name. Those of an event are what the event itself says; those of a visit
// belong to all events of the visit. Besides these there is `metadata.<key>`, of the event.

export const EVENT_DIMENSIONS = [
  'event', 'page', 'hostname', 'title', 'country', 'language', 'device', 'browser', 'browserVersion', 'os', 'osVersion', 'screen',
] as const // prettier-ignore

/** What the event with which a visit arrives says of where it came from. */
export const ARRIVAL_DIMENSIONS = ['referrer', 'source', 'channel', 'utmSource', 'utmMedium', 'utmCampaign', 'utmTerm', 'utmContent'] as const

export const VISIT_DIMENSIONS = ['entryPage', 'exitPage', ...ARRIVAL_DIMENSIONS] as const

export const DIMENSIONS = [...EVENT_DIMENSIONS, ...VISIT_DIMENSIONS] as const

export type EventDimension = (typeof EVENT_DIMENSIONS)[number]
export type ArrivalDimension = (typeof ARRIVAL_DIMENSIONS)[number]

const METADATA = 'metadata.'

/** The key of a `metadata.<key>` dimension; undefined for any other name. */
export function metadataKey(dimension: string): string | undefined {
  return dimension.startsWith(METADATA) && dimension.length > METADATA.length ? dimension.slice(METADATA.length) : undefined
}
