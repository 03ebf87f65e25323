// Given events, when a command is decided, then these facts or this refusal: specs of deciders without any store.
import assert from 'node:assert/strict'
import type { Command, CommandContext, Decided, KeySecret } from '../../../src/commands/commandBus.ts'
import { FoldedControl } from '../../../src/commands/controlState.ts'
import type { ErrorCode } from '../../../src/errors.ts'
import { Problem } from '../../../src/errors.ts'
import { accountCreated } from '../../../src/events/accountCreated.ts'
import { apiKeyIssued, type ApiKeyIssued } from '../../../src/events/apiKeyIssued.ts'
import { appRegistered } from '../../../src/events/appRegistered.ts'
import type { FoldEvent } from '../../../src/events/catalogue.ts'
import type { EventType } from '../../../src/events/eventType.ts'
import { memberJoined } from '../../../src/events/memberJoined.ts'
import { organisationCreated } from '../../../src/events/organisationCreated.ts'
import { FIRST_ORGANISATION, type MemberRole } from '../../../src/events/organisations.ts'
import { type AppSettings, DEFAULT_SETTINGS } from '../../../src/events/schemas.ts'
import { NIL_UUID, uuidv5 } from '../../../src/kernel/ids.ts'
import { compile } from '../../../src/kernel/validation.ts'

/** A fixed id for a name, so that specs read. */
export const id = (name: string): string => uuidv5(NIL_UUID, name)

export const NOW = Date.UTC(2026, 10, 22, 9, 30)
export const ALICE = id('alice')
export const MALLORY = id('mallory')
export const OTHER = id('other organisation')
export const APP = id('app')
export const KEY = id('key')
export const COMMAND = id('command')
export const SECRET: KeySecret = { writeKeyHash: 'ab'.repeat(32), writeKeyHint: 'rk_abcd' }

export interface Fact {
  type: EventType
  stream: string
  data: unknown
  /** Who did it, where that matters. */
  meta?: { actor: string }
}

export const account = (accountId: string): Fact => ({
  type: accountCreated,
  stream: `account:${accountId}`,
  data: { accountId, role: 'owner' },
})

export const app = (ownerId = ALICE, settings: Partial<AppSettings> = {}, appId = APP): Fact => ({
  type: appRegistered,
  stream: `app:${appId}`,
  data: { appId, ownerId, name: 'Bakery', settings: { ...DEFAULT_SETTINGS, ...settings } },
})

export const key = (more: Partial<ApiKeyIssued> = {}): Fact => {
  const data: ApiKeyIssued = {
    ...{ keyId: KEY, appId: APP, issuedBy: ALICE, name: 'Website', scopes: ['collect'] },
    ...{ writeKeyHash: 'cd'.repeat(32), writeKeyHint: 'rk_cdcd', ...more },
  }
  return { type: apiKeyIssued, stream: `key:${data.keyId}`, data }
}

export const fact = (type: EventType, stream: string, data: unknown): Fact => ({ type, stream, data })

/** An account without a role anywhere. */
export const person = (accountId: string): Fact => ({ type: accountCreated, stream: `account:${accountId}`, data: { accountId, googleId: `google ${accountId}`, email: 'person@bakery.example' } })

export const joined = (accountId: string, role: MemberRole, organisationId = FIRST_ORGANISATION): Fact => ({
  type: memberJoined,
  stream: `organisation:${organisationId}`,
  data: { organisationId, accountId, role, through: 'invitation' },
})

/** What is there in every spec that needs an owner with an app; Mallory owns another organisation. */
export const BAKERY: readonly Fact[] = [
  account(ALICE),
  app(),
  key(),
  person(MALLORY),
  { type: organisationCreated, stream: `organisation:${OTHER}`, data: { organisationId: OTHER, name: 'Brewery' } },
  joined(MALLORY, 'owner', OTHER),
]

export function folded(facts: readonly Fact[]): FoldedControl {
  const state = new FoldedControl(() => 3)
  const versions = new Map<string, number>()
  facts.forEach(({ type, stream, data, meta }, index) => {
    const streamVersion = (versions.get(stream) ?? 0) + 1
    versions.set(stream, streamVersion)
    const appId = (data as { appId?: string }).appId ?? NIL_UUID
    const event: FoldEvent = {
      ...{ eventId: id(`event ${index}`), appId, type: type.type, schemaVersion: type.schemaVersion, data, meta: metaOf(index, meta) },
      ...{ occurredAt: NOW - 1_000, recordedAt: NOW - 1_000, partition: 0, position: index + 1, stream, streamVersion },
    }
    state.apply(event)
  })
  return state
}

function metaOf(index: number, meta: Fact['meta']): string | null {
  return meta === undefined ? null : JSON.stringify({ commandId: id(`command ${index}`), command: 'Given', execution: '', actor: meta.actor })
}

interface Then<Result> {
  /** The facts decided, each checked against its event's schema. */
  then(expected: readonly Fact[], result?: Partial<Result>): readonly Decided[]
  /** The code of the refusal, and the paths of its faults where it has any. */
  refused(code: ErrorCode, ...paths: string[]): void
}

export function given(...facts: Fact[]): {
  when<Input, Result>(command: Command<Input, Result>, input: Input, by?: Partial<CommandContext>): Then<Result>
} {
  return {
    when(command, input, by = {}) {
      const context = { commandId: COMMAND, now: NOW, actor: ALICE, secret: SECRET, ...by }
      const decide = () => command.decide(folded(facts), input, context)
      assert.deepEqual(compile(command.schema)(input), [], 'the spec gives an input that the schema refuses')
      return {
        then(expected, result) {
          const { events, result: answer } = decide()
          assert.deepEqual(events.map(({ type, stream, data }) => ({ type, stream, data })), expected)
          for (const { type, data } of events) assert.deepEqual(compile(type.schema)(data), [], type.type)
          if (result !== undefined) assert.deepEqual(answer, { ...answer, ...result })
          return events
        },
        refused(code, ...paths) {
          assert.throws(decide, (error) => {
            assert.ok(error instanceof Problem, String(error))
            assert.equal(error.code, code)
            assert.deepEqual((error.errors ?? []).map((fault) => fault.path), paths)
            return true
          })
        },
      }
    },
  }
}
