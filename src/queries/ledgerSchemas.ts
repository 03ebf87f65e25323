// What the ledger and the quarantine answer, for checks and the OpenAPI document.
import { AS_OF_SCHEMA, COUNT_SCHEMA } from './schemas.ts'
import { RANGE_SCHEMA } from './range.ts'

type Schema = Readonly<Record<string, unknown>>

function objectOf(properties: Schema, more: Schema = {}): Schema {
  return { type: 'object', additionalProperties: false, required: Object.keys(properties), properties, ...more }
}

const counted = (description: string): Schema => ({ ...COUNT_SCHEMA, description })
const instant = { type: 'string', format: 'date-time' } as const

const counts = {
  received: counted('accepted + rejected - released: an event that was released was received once'),
  accepted: counted('stored + duplicates + inFlight'),
  stored: counted('In the log for the first time, those released from quarantine included'),
  duplicates: counted('In the log already: the same event sent again'),
  inFlight: { ...COUNT_SCHEMA, type: ['integer', 'null'], description: 'Acknowledged and not committed yet; null while the queue cannot be asked' },
  rejected: counted('Refused: quarantined + released + discarded'),
  quarantined: counted('Refused, and nothing was done about it; the bodies of the oldest are not kept'),
  released: counted('Refused at first, and let in by somebody'),
  discarded: counted('Refused, and thrown away by somebody'),
  recorded: counted('Events that the log recorded in these hours, whenever they were received: projected + behind + dead'),
  projected: counted('Of these, in every read model'),
  behind: counted('Of these, not in every read model yet'),
  dead: counted('Of these, could not be folded by some read model, and set aside'),
}

export const ledgerResult = {
  ...objectOf({
    appId: { type: 'string' },
    hours: {
      type: 'array',
      items: objectOf({ hour: { ...instant, description: 'At which it begins' }, ...counts }),
      description: 'In which anything was received or recorded, oldest first',
    },
    total: objectOf(counts, { description: 'Of these hours' }),
    exact: objectOf(
      { inFlight: { type: 'boolean' }, behind: { type: 'boolean' } },
      { description: 'False where there is at least as much: the queue cannot be asked, or there is more than is counted for one answer' },
    ),
    reconciles: { type: 'boolean', description: 'Over all of the app, whatever the range: as many events were recorded as stored, and so on' },
    differences: {
      type: 'array',
      items: objectOf({ what: { type: 'string' }, expected: { type: 'integer' }, found: { type: 'integer' } }),
      description: 'What does not agree; empty where it reconciles',
    },
    range: RANGE_SCHEMA,
    asOf: AS_OF_SCHEMA,
  }),
  title: 'Ledger',
  description: 'What became of everything that was received, by hour of receipt (UTC); `recorded` and what follows it by the hour in which the log recorded it.',
}

export const STATUSES = ['quarantined', 'released', 'discarded'] as const

const entry = {
  number: counted('Of the event in the quarantine of its app, from 1'),
  receivedAt: instant,
  code: { type: 'string', description: 'Why it was refused' },
  detail: { type: 'string' },
  whole: { type: 'boolean', description: 'All of it is kept, reduced no further than events that are taken: it can be released as it is' },
  viaPublicKey: { type: 'boolean', description: 'Anybody could have sent it' },
  skewMs: { type: 'integer', description: 'How far the clock of its sender was behind, by `sentAt`: added to its timestamp when it is released as it is' },
  status: { type: 'string', enum: STATUSES },
  resolvedAt: { ...instant, nullable: true },
  resolvedBy: { type: 'string', nullable: true, description: 'The account that released or discarded it' },
  eventId: { type: 'string', nullable: true, description: 'As which it went into the log' },
}

export const quarantinedResult = {
  ...objectOf({
    ...entry,
    body: { type: 'string', description: 'As it was sent, with addresses and URLs reduced and cut where it is long; empty once it was discarded' },
    event: { description: 'The same as JSON, where it is whole; else null' },
    asOf: AS_OF_SCHEMA,
  }),
  title: 'Quarantined',
  description: 'One event that was refused, and what became of it.',
}

export const quarantineResult = {
  ...objectOf({
    events: { type: 'array', items: objectOf({ ...entry, excerpt: { type: 'string', description: 'The beginning of what was sent' } }) },
    codes: {
      type: 'array',
      items: objectOf({ code: { type: 'string' }, rejected: counted('Ever'), lastAt: instant }),
      description: 'All that was ever refused, by reason, also where the bodies are not kept any more',
    },
    nextCursor: { type: ['string', 'null'] },
    asOf: AS_OF_SCHEMA,
  }),
  title: 'Quarantine',
  description: 'Events that were refused and are kept, newest first.',
}
