// What people do with events in quarantine: let one into the log, as it is or mended, or throw it away. Either happens once,
// whoever does it at the same time: the act stands in a stream of its own, at version 1, and commits with the event, with the
// ledger and with the entry in quarantine.
import { type Fault, Problem } from '../errors.ts'
import { formatCommandMeta } from '../events/commandMeta.ts'
import { eventDiscarded, type EventDiscarded } from '../events/eventDiscarded.ts'
import { type EventLog, type NewEvent, type Pack, VersionConflict } from '../events/eventLog.ts'
import { eventReleased, type EventReleased } from '../events/eventReleased.ts'
import type { EventType } from '../events/eventType.ts'
import { type QuarantinedEvent, readQuarantine, readQuarantined, sumRefused } from '../events/ledger.ts'
import { wholeBody } from '../events/quarantinedBody.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database.ts'
import { within } from '../kernel/deadline.ts'
import { uuidv5, uuidv7 } from '../kernel/ids.ts'
import { located } from '../kernel/validationWords.ts'
import { LIMITS } from '../limits.ts'
import { appendDirectly } from './directAppend.ts'
import { isUnavailable } from './execution.ts'
import type { AppState } from './keyring.ts'
import { appRules, type EventContext, isRefusal, prepareEvent } from './prepareEvent.ts'
import type { SaltStore } from './salts.ts'

export interface Released {
  readonly number: number
  readonly status: 'released'
  readonly eventId: string
  /** False where somebody had released it before: this is what came of that. */
  readonly now: boolean
}

export interface Discarded {
  readonly number: number
  readonly status: 'discarded'
  readonly now: boolean
}

export interface ReleasedMany {
  readonly released: number
  readonly refused: readonly { readonly number: number; readonly code: string; readonly detail: string }[]
  /** The last number that was tried, where more of the kind may follow. */
  readonly nextAfter: number | null
}

export interface QuarantineActs {
  /**
   * Into the log through the same checks as /collect, as an event of the instant at which it was received unless it names its own,
   * which is corrected as /collect would have done where it is let in as it is.
   * Its id is its own where it names one, so that what was sent again meanwhile counts once; else it derives from app and number.
   * Throws Problem `not_found`, `body_dropped`, `body_not_whole`, `already_discarded`, `invalid_event`, `unavailable`.
   */
  release(app: AppState, number: number, given: { readonly event?: unknown }, actor: string): Promise<Released>
  /** As they are, the oldest first, at most LIMITS.quarantineReleases; what is refused again stays. Throws Problem `unavailable`. */
  releaseAll(app: AppState, which: { readonly code: string; readonly after?: number }, actor: string): Promise<ReleasedMany>
  /** Throws Problem `not_found`, `body_dropped`, `already_released`, `unavailable`. */
  discard(app: AppState, number: number, actor: string): Promise<Discarded>
}

export interface QuarantineActsOptions {
  readonly log: Pick<EventLog, 'append' | 'partitionOf' | 'classify'>
  readonly database: Database
  readonly salts: SaltStore
  readonly clock: Clock
}

interface Entry {
  readonly app: AppState
  readonly entry: QuarantinedEvent
  readonly actor: string
}

/** What stays with one event all its time in quarantine; neither another store nor another app has the same. */
function idOf({ app, entry }: Pick<Entry, 'app' | 'entry'>): string {
  return uuidv5(app.appId, `quarantine ${entry.number} ${entry.receivedAt}`)
}

export function createQuarantineActs(options: QuarantineActsOptions): QuarantineActs {
  const { log } = options
  const bounded = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await within(LIMITS.appCommandMs, work, 'the log')
    } catch (error) {
      if (!isUnavailable(log, error)) throw error
      throw new Problem('unavailable', undefined, { retryAfterSeconds: 1, cause: error })
    }
  }
  const release: QuarantineActs['release'] = (app, number, given, actor) => bounded(untilSettled(options, app, number, actor, (found) => releaseOne(options, found, given)))
  return {
    release,
    discard: (app, number, actor) => bounded(untilSettled(options, app, number, actor, (found) => discardOne(options, found))),
    async releaseAll(app, { code, after = 0 }, actor) {
      const asked = { code, after, status: 'quarantined', limit: LIMITS.quarantineReleases } as const
      const entries = await bounded(readQuarantine(options.database.knex, app.appId, asked))
      const refused: ReleasedMany['refused'][number][] = []
      let released = 0
      for (const { number } of entries) {
        try {
          // Another may have released it since the list was read.
          if ((await release(app, number, {}, actor)).now) released++
        } catch (error) {
          if (!(error instanceof Problem) || error.code === 'unavailable') throw error
          refused.push({ number, code: error.errors?.[0]?.code ?? error.code, detail: error.message })
        }
      }
      const full = entries.length === LIMITS.quarantineReleases
      return { released, refused, nextAfter: full ? entries.at(-1)!.number : null }
    },
  }
}

/** Somebody may be at the same event: then what they did decides. */
async function untilSettled<T>({ database }: QuarantineActsOptions, app: AppState, number: number, actor: string, act: (found: Entry) => Promise<T>): Promise<T> {
  for (let attempt = 1; attempt <= LIMITS.commandAttempts; attempt++) {
    const entry = await readQuarantined(database.knex, app.appId, number)
    if (entry === undefined) throw await absent(database, app, number)
    try {
      return await act({ app, entry, actor })
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error
    }
  }
  throw new Problem('conflict')
}

async function absent({ knex }: Database, { appId }: AppState, number: number): Promise<Problem> {
  return new Problem(number >= 1 && number <= (await sumRefused(knex, appId)) ? 'body_dropped' : 'not_found')
}

async function releaseOne(options: QuarantineActsOptions, found: Entry, given: { readonly event?: unknown }): Promise<Released> {
  const { entry } = found
  const { number, receivedAt, code, resolved } = entry
  if (resolved?.eventId !== undefined) return { number, status: 'released', eventId: resolved.eventId, now: false }
  if (resolved !== undefined) throw new Problem('already_discarded')
  const edited = 'event' in given
  const input = edited ? given.event : whole(entry)
  const event = await prepared(options, found, input, edited)
  const data: EventReleased = { number, receivedAt, code, eventId: event.eventId, ...(edited ? { edited } : {}) }
  await append(options, found, { as: 'released', eventId: event.eventId, events: [event, actOf(options, found, eventReleased, 'ReleaseEvent', data)] })
  return { number, status: 'released', eventId: event.eventId, now: true }
}

async function discardOne(options: QuarantineActsOptions, found: Entry): Promise<Discarded> {
  const { number, receivedAt, code, resolved } = found.entry
  if (resolved !== undefined) {
    if (resolved.as === 'released') throw new Problem('already_released')
    return { number, status: 'discarded', now: false }
  }
  const data: EventDiscarded = { number, receivedAt, code }
  await append(options, found, { as: 'discarded', eventId: null, events: [actOf(options, found, eventDiscarded, 'DiscardEvent', data)] })
  return { number, status: 'discarded', now: true }
}

function whole(entry: QuarantinedEvent): unknown {
  const kept = wholeBody(entry)
  if (kept === undefined) throw new Problem('body_not_whole')
  return kept.event
}

/** Throws Problem `invalid_event`. */
async function prepared({ salts }: QuarantineActsOptions, { app, entry, actor }: Entry, input: unknown, edited: boolean): Promise<NewEvent> {
  const context: EventContext = {
    rules: appRules(app),
    meta: JSON.stringify({ quarantine: entry.number, actor }),
    receivedAt: entry.receivedAt,
    // The clock that was wrong was that of the sender; who mends an event says when it was.
    skewMs: edited ? 0 : entry.skewMs,
    publicKey: entry.viaPublicKey,
    vouched: true,
    imported: false,
    browser: undefined,
  }
  const event = await prepareEvent(input, context, salts)
  if (isRefusal(event)) throw refused([{ path: (edited ? '/event' : '') + event.path, detail: event.detail, code: event.code }])
  return namesItself(input) ? event : { ...event, eventId: uuidv5(idOf({ app, entry }), 'event') }
}

function namesItself(input: unknown): boolean {
  return (input as { readonly id?: unknown }).id !== undefined
}

function refused(errors: readonly Fault[], cause?: unknown): Problem {
  return new Problem('invalid_event', located(errors[0]!), { errors, cause })
}

function actOf<Data>({ clock }: QuarantineActsOptions, found: Entry, type: EventType<Data>, command: string, data: Data): NewEvent {
  const occurredAt = clock.now()
  const execution = uuidv7(occurredAt)
  return {
    // Of this act alone: two people may both release it, and the later one must learn so.
    eventId: execution,
    appId: found.app.appId,
    type: type.type,
    schemaVersion: type.schemaVersion,
    occurredAt,
    data: JSON.stringify(data),
    meta: formatCommandMeta({ commandId: execution, command, execution, actor: found.actor, result: undefined }),
    stream: streamOf(found),
  }
}

function streamOf(found: Entry): string {
  return `quarantine:${idOf(found)}`
}

type Act = Pick<Pack, 'events'> & { readonly as: 'released' | 'discarded'; readonly eventId: string | null }

/** Throws VersionConflict where somebody was faster, Problem `invalid_event` where the store cannot hold the event. */
async function append({ log }: QuarantineActsOptions, found: Entry, { as, eventId, events }: Act): Promise<void> {
  const { app, entry, actor } = found
  const partition = log.partitionOf(app.appId)
  const resolves = { appId: app.appId, number: entry.number, as, by: actor, eventId }
  const deliveryId = events.at(-1)!.eventId
  const pack: Pack = { deliveryId, partition, receivedAt: entry.receivedAt, events, rejected: [], resolves }
  try {
    await appendDirectly(log, { partition, packs: [pack], expected: [{ stream: streamOf(found), version: 0 }] })
  } catch (error) {
    if (error instanceof VersionConflict || error instanceof Problem || log.classify(error) !== 'deterministic') throw error
    throw refused([{ path: '', detail: 'the store cannot hold this event', code: 'not_storable' }], error)
  }
}
