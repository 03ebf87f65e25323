// Dependencies for tests that need a server with one part broken or watched, and the rest not asked at all.
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AccountState, AppState, ControlState, Keyring, KeyState, MemberState } from '../../../src/commands/keyring.ts'
import { FIRST_ORGANISATION } from '../../../src/events/organisations.ts'
import type { HttpDeps } from '../../../src/http/deps.ts'
import { createMetrics } from '../../../src/http/metrics.ts'
import { createRateLimiter } from '../../../src/http/rateLimiter.ts'
import { createTokens } from '../../../src/http/tokens.ts'
import { systemClock } from '../../../src/kernel/clock.ts'
import { hashWriteKey } from '../../../src/commands/writeKey.ts'
import { silentLogger } from '../../../src/kernel/logger.ts'

export const ID = '5f0c2a52-0d7e-5b1c-9c7e-2f6a3b1d4e5f'
export const OWNER = '0b7f3c1e-52a4-5e0d-8f3a-6d1c9b2e4a70'
export const STRANGER = '9d2f1b34-7c55-4a0e-8d21-3b6f0e9c1a77'
export const OTHER_ORGANISATION = '2c1e7a40-93d5-4b8e-a6f1-5d7c0b3e8a99'
export const WRITE_KEY = `rk_${'0aA'.repeat(10)}`

export const KEY: KeyState = {
  keyId: ID,
  appId: ID,
  issuedBy: OWNER,
  name: 'key',
  scopes: ['collect', 'query', 'people'],
  writeKeyHash: hashWriteKey(WRITE_KEY),
  writeKeyHint: 'rk_0aA0',
  expiresAt: undefined,
  allowedOrigins: undefined,
  requestsPerMinute: undefined,
  replacedBy: undefined,
  revoked: false,
  createdAt: 0,
}
const APP: AppState = {
  appId: ID,
  organisationId: FIRST_ORGANISATION,
  name: 'app',
  url: undefined,
  settings: { timezone: 'UTC', ip: 'truncate', keepQuery: [] },
  partition: 1,
  createdAt: 0,
  deleted: false,
  position: 1,
}

/** A token of a session that nobody ended. */
export function userToken({ tokens }: Pick<HttpDeps, 'tokens'>, accountId: string): string {
  return tokens.issueUser({ accountId, sessionId: ID, generation: 0 }).token
}

/** One app of one owner with one key; a second account owns another organisation, without an app. */
export function fakeKeyring(overrides: Partial<Keyring> = {}, state: Partial<ControlState> = {}): Keyring {
  const account = (accountId: string): AccountState | undefined =>
    accountId === OWNER || accountId === STRANGER
      ? { accountId, googleId: undefined, email: undefined, name: undefined, generation: 0, createdAt: 0 }
      : undefined
  const ownerOf = (accountId: string): string => (accountId === OWNER ? FIRST_ORGANISATION : OTHER_ORGANISATION)
  const member = (organisationId: string, accountId: string): MemberState | undefined =>
    account(accountId) !== undefined && ownerOf(accountId) === organisationId ? { organisationId, accountId, role: 'owner', joinedAt: 0 } : undefined
  return {
    state: {
      position: 1,
      withdrawnAt: 0,
      account,
      accounts: () => [account(OWNER)!],
      accountByGoogleId: () => undefined,
      organisation: (organisationId) => ({ organisationId, name: 'Organisation', allowedDomains: [] }),
      organisations: () => [],
      member,
      membersOf: () => [],
      membershipsOf: (accountId) => [member(ownerOf(accountId), accountId)].filter((one) => one !== undefined),
      grant: () => undefined,
      grantsOf: () => new Map(),
      invitation: () => undefined,
      invitationByHash: () => undefined,
      invitationsOf: () => [],
      sessionEnded: () => false,
      app: (appId) => (appId === ID ? APP : undefined),
      apps: () => [APP],
      key: (keyId) => (keyId === ID ? KEY : undefined),
      keyByHash: (hash) => (hash === KEY.writeKeyHash ? KEY : undefined),
      keysOf: () => [KEY],
      version: () => 1,
      command: () => undefined,
      ...state,
    },
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    refresh: () => Promise.resolve(),
    trusted: () => true,
    ...overrides,
  }
}

const unasked = (): never => {
  throw new Error('not expected to be asked')
}

export function fakeDeps(overrides: Partial<HttpDeps> = {}): HttpDeps {
  return {
    config: { trustProxy: false, publicUrl: undefined, allowLocalSignin: true, google: undefined, ownerEmail: undefined, metricsToken: undefined, production: false },
    ownerCode: 'owner-code-of-the-tests',
    keyring: fakeKeyring(),
    bus: { execute: unasked },
    appBus: { execute: unasked },
    relay: { apply: unasked },
    collector: { collect: () => Promise.resolve({ status: 202, accepted: 1, ids: [ID], rejected: [] }) },
    queries: { ask: unasked },
    recounts: { recount: unasked },
    diffs: { diff: unasked },
    control: { apps: unasked, app: unasked, keys: unasked, organisations: unasked, organisation: unasked, members: unasked, invitations: unasked, grants: unasked, audit: unasked, auditExport: unasked, projections: unasked, logHeads: unasked },
    ledger: { ledger: unasked, quarantine: unasked, quarantined: unasked },
    quarantine: { release: unasked, releaseAll: unasked, discard: unasked },
    definitions: { list: unasked, one: unasked, served: unasked },
    definitionNumbers: unasked,
    replays: { rebuild: unasked, pause: unasked, drop: unasked, switch: unasked, rollback: unasked, subscribe: () => () => undefined },
    sessions: { begin: unasked, find: unasked, rotate: unasked, end: unasked, endAll: unasked, listOf: unasked, keepCode: unasked, takeCode: unasked, prune: unasked, start: unasked, stop: unasked },
    tokens: createTokens({ jwtSecret: 'a secret of the tests, thirty-two characters or more' }, systemClock),
    rateLimiter: createRateLimiter({ enabled: false, clock: systemClock, logger: silentLogger, secret: ID }),
    metrics: createMetrics(),
    clock: systemClock,
    logger: silentLogger,
    isAway: () => false,
    askStore: () => Promise.resolve(),
    ready: () => Promise.resolve({ ready: true, faults: [] }),
    ...overrides,
  }
}

export async function listening(server: Server): Promise<{ url: string; port: number; close(): Promise<void> }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

