// Commands written down as the events they leave, and the entries that the audit log makes of them, in memory alone.
import { CATALOGUE, type FoldEvent } from '../../../src/events/catalogue.ts'
import { formatCommandMeta } from '../../../src/events/commandMeta.ts'
import type { EventType } from '../../../src/events/eventType.ts'
import { NIL_UUID, uuidv5 } from '../../../src/kernel/ids.ts'
import { audit } from '../../../src/projections/audit/audit.ts'
import { textOfId } from '../../../src/projections/storage/rows.ts'

export const id = (name: string): string => uuidv5(NIL_UUID, name)
export const AT = Date.UTC(2026, 10, 22, 9)

export interface Said {
  readonly type: string
  readonly data: object | null
  /** Where the data does not tell. */
  readonly stream?: string
  readonly appId?: string
}

export interface Given {
  readonly actor?: string | undefined
  readonly events: readonly Said[]
}

export interface Entry {
  readonly organisation: string
  readonly position: number
  readonly actor: string | null
  readonly action: string
  readonly subject: string
  readonly name: string | null
  readonly appId: string | null
  readonly before: Record<string, unknown> | null
  readonly after: Record<string, unknown> | null
  readonly erased: boolean
}

export const said = <Data extends object>(type: EventType<Data>, data: Data): Said => ({ type: type.type, data })

/** One command with its events. */
export const by = (actor: string | undefined, ...events: Said[]): Given => ({ actor, events })

/** As the log would hold them, a minute after each other. */
export function logOf(commands: readonly Given[]): FoldEvent[] {
  const events: FoldEvent[] = []
  const versions = new Map<string, number>()
  for (const [index, { actor, events: all }] of commands.entries()) {
    for (const { type, data, stream = streamOf(data), appId = appIn(data) } of all) {
      const position = events.length + 1
      const streamVersion = (versions.get(stream) ?? 0) + 1
      versions.set(stream, streamVersion)
      const meta = formatCommandMeta({ commandId: id(`command ${index}`), command: 'Test', execution: 'x', actor, result: undefined })
      const at = { occurredAt: AT + position * 60_000, recordedAt: AT + position * 60_000 + 5 }
      const { schemaVersion } = CATALOGUE.get(type)!
      events.push({ eventId: id(`event ${position}`), appId, type, schemaVersion, data, meta, ...at, partition: 0, position, stream, streamVersion })
    }
  }
  return events
}

function appIn(data: object | null): string {
  return (data as { appId?: string } | null)?.appId ?? NIL_UUID
}

function streamOf(data: object | null): string {
  const ids = data as Record<string, string>
  if (ids['projection'] !== undefined) return `projection:${ids['projection']}`
  if (ids['keyId'] !== undefined) return `key:${ids['keyId']}`
  if (ids['appId'] !== undefined) return `app:${ids['appId']}`
  return ids['organisationId'] === undefined ? `account:${ids['accountId']}` : `organisation:${ids['organisationId']}`
}

/** What the audit log says after all of them. */
export async function entriesOf(events: readonly FoldEvent[]): Promise<Entry[]> {
  const state = audit.start(null, { timezoneOf: () => 'UTC', definitionsOf: () => ({ dimensions: [], goals: [], reports: [] }) })
  await state.joins.load(events, { at: () => Promise.resolve(new Map()), scan: async function* () {} })
  audit.fold(state, events)
  return state.entries.map((row) => {
    const [organisation, position, , , actor, action, kind, subject, name, appId, before, after, erased] = row
    return {
      ...{ organisation: idOf(organisation)!, position: position as number, actor: idOf(actor), action: action as string },
      ...{ subject: `${String(kind)} ${String(subject)}`, name: name as string | null, appId: idOf(appId) },
      ...{ before: factsOf(before), after: factsOf(after), erased: erased === 1 },
    }
  })
}

function idOf(value: unknown): string | null {
  return value === null ? null : textOfId(value as Uint8Array)
}

function factsOf(value: unknown): Record<string, unknown> | null {
  return value === null ? null : (JSON.parse(value as string) as Record<string, unknown>)
}
