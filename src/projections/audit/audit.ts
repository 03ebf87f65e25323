// The audit log: for each organisation an entry per control event that concerns it, with who, when, what, and what it was
// before and after. It is folded from the very events that the control plane is made of, so nothing can be done and not be in it.
import type { Knex } from 'knex'
import type { FoldEvent } from '../../events/catalogue.ts'
import { parseCommandMeta } from '../../events/commandMeta.ts'
import { isUuid, uuidToBytes } from '../../kernel/ids.ts'
import type { EventReader, Projection } from '../projection.ts'
import { replaceRows, type Value } from '../storage/bulkRows.ts'
import { APPS } from './apps.ts'
import type { Change, Folding } from './change.ts'
import { tellErased, wantErased } from './erased.ts'
import { formatFacts } from './facts.ts'
import type { Handler } from './handler.ts'
import { Joins, readable } from './joins.ts'
import { PEOPLE } from './people.ts'
import { Subjects } from './subjects.ts'

export interface AuditState {
  readonly subjects: Subjects
  readonly joins: Joins
  readonly entries: Value[][]
}

const HANDLERS: ReadonlyMap<string, Handler> = new Map([...PEOPLE, ...APPS].map((handler) => [handler.type, handler]))

const KEY = ['organisation_id', 'position']
const COLUMNS = [
  ...['build', ...KEY, 'recorded_at', 'occurred_at', 'actor_id', 'action'],
  ...['subject_kind', 'subject_id', 'subject_name', 'app_id', 'before_json', 'after_json', 'erased'],
]

export const audit: Projection<AuditState, null> = {
  name: 'audit',
  codeVersion: 1,
  source: 'control',
  eventTypes: [...HANDLERS.keys()],
  tables: [
    { name: 'audit_entries', key: KEY },
    { name: 'audit_subjects', key: ['kind', 'first_id', 'second_id'] },
  ],
  memory: () => null,
  start: () => ({ subjects: new Subjects(), joins: new Joins(), entries: [] }),
  load,
  fold(state, events) {
    for (const event of events) foldOne(state, event)
  },
  async write(trx: Knex.Transaction, build, { subjects, entries }) {
    await replaceRows(trx, 'audit_entries', COLUMNS, entries.map((entry) => [build, ...entry]))
    await subjects.write(trx, build)
  },
}

async function load(db: Knex, build: number, { subjects, joins }: AuditState, events: readonly FoldEvent[], reader: EventReader): Promise<void> {
  await joins.load(events, reader)
  await subjects.load(db, build, (want) => {
    for (const event of events) {
      const data = readable(event)
      if (data === null) wantErased(event, want)
      else HANDLERS.get(event.type)!.want(data, want)
    }
  })
}

function foldOne({ subjects, joins, entries }: AuditState, event: FoldEvent): void {
  const folding: Folding = {
    subjects,
    organisationsOf: (accountId, at) => [...new Set([...subjects.of('member', accountId).map(([organisationId]) => organisationId), ...joins.with(at, accountId)])],
  }
  const erased = event.data === null
  const changes = erased ? tellErased(folding, event) : HANDLERS.get(event.type)!.tell(folding, event.data, event)
  for (const change of changes) {
    for (const organisationId of change.organisations) entries.push(entryOf(organisationId, change, event, erased))
  }
}

function entryOf(organisationId: string, { subject, appId, actor, before, after }: Change, event: FoldEvent, erased: boolean): Value[] {
  const by = parseCommandMeta(event.meta)?.actor ?? actor
  return [
    ...[uuidToBytes(organisationId), event.position, event.recordedAt, event.occurredAt],
    ...[by === undefined || !isUuid(by) ? null : uuidToBytes(by), event.type],
    ...[subject.kind, subject.id, subject.name ?? null, appId === undefined ? null : uuidToBytes(appId)],
    ...[before === undefined ? null : formatFacts(before), after === undefined ? null : formatFacts(after), erased ? 1 : 0],
  ]
}
