// Repeats what an app's fold needs of the control partition in the app's own partition. What is missing follows from the
// two streams alone, so nothing needs to be remembered: killed between the two writes, the relay finds the gap at its next
// start. Ids derive from the control events, so several relays at once write each thing once and in order.
import { appDeleted } from '../events/appDeleted.ts'
import { appRegistered } from '../events/appRegistered.ts'
import { appSettingsApplied, type AppSettingsApplied } from '../events/appSettingsApplied.ts'
import { appUpdated } from '../events/appUpdated.ts'
import { decode, type FoldEvent, isEvent } from '../events/catalogue.ts'
import type { EventLog, NewEvent } from '../events/eventLog.ts'
import { uuidv5 } from '../kernel/ids.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'
import type { Keyring } from './keyring.ts'

export interface SettingsRelay {
  /** Resolves once everything that was decided about the app so far stands in its own partition. */
  apply(appId: string): Promise<void>
  /** Looks after all apps, also those whose caller died, until stopped. */
  start(): void
  stop(): Promise<void>
}

export interface SettingsRelayOptions {
  log: Pick<EventLog, 'append' | 'read' | 'readStream' | 'partitionOf'>
  keyring: Pick<Keyring, 'state'>
  logger: Logger
}

export function createSettingsRelay({ log, keyring, logger }: SettingsRelayOptions): SettingsRelay {
  const pending = new Set<string>()
  let position = 0
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let stopped = true

  const apply = (appId: string): Promise<void> => repeatSettings(log, appId)

  async function followUp(): Promise<void> {
    while (position < keyring.state.position && !stopped) {
      const events = await log.read(0, position, LIMITS.readPageEvents)
      for (const event of events) if (event.stream?.startsWith('app:') === true) pending.add(event.appId)
      position = events.at(-1)?.position ?? keyring.state.position
    }
    for (const appId of pending) if (!stopped) await applyPending(appId)
  }

  async function applyPending(appId: string): Promise<void> {
    try {
      await apply(appId)
      pending.delete(appId)
    } catch (error) {
      // It stays pending and must not hold up the others.
      logger.warn('the settings of an app could not be relayed; trying again', { appId, error })
    }
  }

  function schedule(): void {
    timer = setTimeout(() => {
      running = followUp()
        .catch((error: unknown) => logger.warn('settings cannot be relayed; trying again', { error }))
        .finally(() => {
          running = undefined
          if (!stopped) schedule()
        })
    }, LIMITS.keyringPollMs)
  }

  return {
    apply,
    start() {
      if (!stopped) return
      stopped = false
      schedule()
    },
    async stop() {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}

/** Writes the settings that are decided and not yet there. Always a tail of the same sequence, so order cannot differ. */
async function repeatSettings(log: SettingsRelayOptions['log'], appId: string): Promise<void> {
  const partition = log.partitionOf(appId)
  const stream = `settings:${appId}`
  const decided = settingsSequence(appId, stream, (await log.readStream(0, `app:${appId}`)).map(decode))
  const there = new Set((await log.readStream(partition, stream)).map((event) => event.eventId))
  const missing = decided.filter((event) => !there.has(event.eventId))
  if (missing.length === 0) return
  const last = missing.at(-1)!
  // Its own id as the delivery's: whoever else delivers the same tail is the same delivery.
  const pack = { deliveryId: last.eventId, partition, receivedAt: last.occurredAt, events: missing, rejected: [] }
  await log.append({ partition, packs: [pack] })
}

function settingsSequence(appId: string, stream: string, events: readonly FoldEvent[]): NewEvent[] {
  const sequence: NewEvent[] = []
  let current: AppSettingsApplied | undefined
  for (const event of events) {
    const next = settingsAfter(current, event)
    if (next === undefined || next === current) continue
    current = next
    sequence.push({
      eventId: uuidv5(appId, `settings:${event.eventId}`),
      ...{ appId, type: appSettingsApplied.type, schemaVersion: appSettingsApplied.schemaVersion },
      ...{ occurredAt: event.occurredAt, data: JSON.stringify(current), meta: JSON.stringify({ causedBy: event.eventId }), stream },
    })
  }
  return sequence
}

function settingsAfter(current: AppSettingsApplied | undefined, event: FoldEvent): AppSettingsApplied | undefined {
  if (event.data === null) return current
  if (isEvent(event, appRegistered)) return event.data.settings
  if (current === undefined) return undefined
  if (isEvent(event, appUpdated) && event.data.settings !== undefined) return { ...current, ...event.data.settings }
  return isEvent(event, appDeleted) ? { ...current, deleted: true } : current
}
