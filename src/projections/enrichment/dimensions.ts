// What an event says, as values of the dimensions (METRICS, Enrichment): derived in the fold from the stored raw facts, so that
// new lists and rules apply to all of history. Everything that is derived counts in RULESET_VERSION.
import type { EventDimension } from '../../events/dimensionNames.ts'
import type { EventCollected } from '../../events/eventCollected.ts'
import { ARRIVAL_RULES, arrivalOf, type ArrivalValues } from './arrivals.ts'
import { COUNTRY_RULES, countryOf } from './country.ts'
import { dimensionText } from './dimensionText.ts'
import { LANGUAGE_RULES, languageOf } from './languages.ts'
import { PAGE_RULES, placeOf } from './pages.ts'
import { DEVICES, namedDevice, UNKNOWN_DEVICE, USER_AGENT_RULES, userAgent } from './userAgents.ts'

/** Rises with each of the rules that a dimension depends on; what depends on some of them alone takes theirs. */
export const RULESET_VERSION = USER_AGENT_RULES + PAGE_RULES + COUNTRY_RULES + LANGUAGE_RULES + ARRIVAL_RULES

/** By index of EVENT_DIMENSIONS; undefined where the event lacks a value. `into` is filled, where a caller asks for many events. */
export function eventValues(data: EventCollected, into: (string | undefined)[] = []): readonly (string | undefined)[] {
  const place = data.url === undefined ? undefined : placeOf(data.url)
  const { device: seen, values } = userAgent(data.userAgent)
  const device = data.device === undefined ? seen : namedDevice(data.device)
  into[0] = dimensionText(data.event)
  into[1] = place?.page
  into[2] = place?.hostname
  into[3] = dimensionText(data.title)
  into[4] = countryOf(data.ip)
  into[5] = languageOf(data.language)
  into[6] = device === UNKNOWN_DEVICE ? undefined : DEVICES[device]
  into[7] = values.browser
  into[8] = values.browserVersion
  into[9] = values.os
  into[10] = values.osVersion
  into[11] = dimensionText(data.screen)
  return into
}

/** One of the same. */
export function eventValue(data: EventCollected, dimension: EventDimension): string | undefined {
  switch (dimension) {
    case 'event':
      return dimensionText(data.event)
    case 'page':
      return data.url === undefined ? undefined : placeOf(data.url)?.page
    case 'hostname':
      return data.url === undefined ? undefined : placeOf(data.url)?.hostname
    case 'title':
      return dimensionText(data.title)
    case 'country':
      return countryOf(data.ip)
    case 'language':
      return languageOf(data.language)
    case 'device': {
      const device = data.device === undefined ? userAgent(data.userAgent).device : namedDevice(data.device)
      return device === UNKNOWN_DEVICE ? undefined : DEVICES[device]
    }
    case 'browser':
    case 'browserVersion':
    case 'os':
    case 'osVersion':
      return userAgent(data.userAgent).values[dimension]
    case 'screen':
      return dimensionText(data.screen)
  }
}

/** By index of ARRIVAL_DIMENSIONS, of the event with which a visit arrives; undefined where it lacks a value. */
export function arrivalValues(data: EventCollected): ArrivalValues {
  return arrivalOf(data.url, data.referrer)
}

/** A metadata value as text: strings as they are (bounded as all values are), numbers and booleans as JSON writes them; undefined for anything else. */
export function metadataValue(data: EventCollected, key: string): string | undefined {
  const { metadata } = data
  if (metadata === undefined || !Object.hasOwn(metadata, key)) return undefined
  const value = metadata[key]
  if (typeof value === 'string') return dimensionText(value)
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}
