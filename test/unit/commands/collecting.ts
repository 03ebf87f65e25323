// What the tests of the way in start from: an app, a key, salts in memory, and a queue that remembers what it was given.
import { type CollectRequest, type Collector, createCollector } from '../../../src/commands/collectEvents.ts'
import type { AppendQueue, Parcel } from '../../../src/commands/appendQueue.ts'
import type { AppState, KeyState } from '../../../src/commands/keyring.ts'
import type { SaltStore } from '../../../src/commands/salts.ts'
import type { EventCollected } from '../../../src/events/eventCollected.ts'
import type { AppSettings } from '../../../src/events/schemas.ts'
import { localDay } from '../../../src/kernel/localDays.ts'
import { silentLogger } from '../../../src/kernel/logger.ts'

export const APP = '0190a0c2-0000-7000-8000-00000000000a'
export const NOW = Date.parse('2026-11-22T12:00:00Z')

export function appState(settings: Partial<AppSettings> = {}): AppState {
  return {
    appId: APP,
    organisationId: '0190a0c2-0000-7000-8000-00000000000b',
    name: 'Test',
    url: undefined,
    settings: { timezone: 'UTC', ip: 'truncate', keepQuery: [], ...settings },
    partition: 3,
    createdAt: 0,
    deleted: false,
    position: 1,
  }
}

export const KEY: KeyState = {
  keyId: '0190a0c2-0000-7000-8000-00000000000c',
  appId: APP,
  issuedBy: '0190a0c2-0000-7000-8000-00000000000b',
  name: 'Key',
  scopes: ['collect'],
  writeKeyHash: '',
  writeKeyHint: '',
  expiresAt: undefined,
  allowedOrigins: undefined,
  requestsPerMinute: undefined,
  replacedBy: undefined,
  revoked: false,
  createdAt: 0,
}

export function memorySalts(): SaltStore & { fetched: string[] } {
  const salts = new Map<string, Uint8Array>()
  const fetched: string[] = []
  const key = (app: Pick<AppState, 'appId' | 'settings'>, atMs: number): string => localDay(app.settings.timezone, atMs).day
  return {
    fetched,
    peek: (app, atMs) => salts.get(key(app, atMs)),
    get: (app, atMs) => {
      const day = key(app, atMs)
      fetched.push(day)
      salts.set(day, new TextEncoder().encode(`salt of ${day}`))
      return Promise.resolve(salts.get(day)!)
    },
    tend: () => Promise.resolve(),
    start: () => undefined,
    stop: () => undefined,
  }
}

export interface Setup {
  readonly collector: Collector
  readonly parcels: Parcel[]
  readonly collect: (body: unknown, request?: Partial<CollectRequest>) => ReturnType<Collector['collect']>
  /** The data of the events handed over so far. */
  readonly data: () => EventCollected[]
}

export function setup(settings: Partial<AppSettings> = {}, queue: Partial<AppendQueue> = {}): Setup {
  const app = appState(settings)
  const parcels: Parcel[] = []
  const keep = (parcel: Parcel): void => void parcels.push(parcel)
  const collector = createCollector({
    keyring: { state: { app: (appId: string) => (appId === APP ? app : undefined) } as never },
    queue: {
      append: (parcel) => {
        keep(parcel)
        return Promise.resolve()
      },
      appendStored: (parcel) => {
        keep(parcel)
        return Promise.resolve(parcel.events.map((_, index) => ({ position: index + 1, duplicate: false })))
      },
      appendControl: () => Promise.reject(new Error('not in this test')),
      close: () => Promise.resolve(),
      ...queue,
    },
    salts: memorySalts(),
    clock: { now: () => NOW },
    logger: silentLogger,
  })
  const request = { key: KEY, viaPublicKey: false, ackStored: false, receivedAt: NOW, browser: false, address: '198.51.100.9', userAgent: 'curl/8' }
  return {
    collector,
    parcels,
    collect: (body, more = {}) => collector.collect({ ...request, body, ...more }),
    data: () => parcels.flatMap(({ events }) => events.map(({ data }) => JSON.parse(data) as EventCollected)),
  }
}
