// What can be asked of the audit log and what comes back; components of the OpenAPI document. Every action has words.
import { LIMITS } from '../limits.ts'
import { audit } from '../projections/audit/audit.ts'
import { SUBJECT_KINDS } from '../projections/audit/change.ts'

/** What each action is called where people read it. */
export const ACTION_LABELS: Readonly<Record<string, string>> = {
  AccountCreated: 'Account created',
  AccountUpdated: 'Account changed',
  ApiKeyAdopted: 'Key taken over',
  ApiKeyIssued: 'Key issued',
  ApiKeyRevoked: 'Key revoked',
  ApiKeyRotated: 'Key replaced',
  AppDeleted: 'App deleted',
  AppGrantEnded: 'Grant on an app taken back',
  AppGranted: 'Role granted on an app',
  AppRegistered: 'App registered',
  AppTransferred: 'App transferred',
  AppUpdated: 'App changed',
  InvitationAccepted: 'Invitation accepted',
  InvitationRevoked: 'Invitation taken back',
  MemberInvited: 'Member invited',
  MemberJoined: 'Member joined',
  MemberRemoved: 'Member removed',
  MemberRoleChanged: 'Role changed',
  OrganisationCreated: 'Organisation created',
  OrganisationUpdated: 'Organisation changed',
  ProjectionOperated: 'Read model worked on',
  SignedIn: 'Signed in',
  SignedOut: 'Signed out',
  SignedOutEverywhere: 'Signed out everywhere',
}

const ACTIONS = audit.eventTypes
const uuid = { type: 'string', pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$', 'x-words': 'an id (UUID in lower case)' } as const
const moment = { type: 'string', minLength: 1, maxLength: 64 } as const
const when = 'An ISO 8601 instant, or a date or a time without offset in UTC'

/** What narrows a list and an export alike. */
export const auditFilters = {
  organisationId: uuid,
  from: { ...moment, description: `Recorded then or later. ${when}; from the beginning unless given.`, example: '2026-11-01' },
  to: { ...moment, description: `Recorded before then. ${when}; to the present unless given.`, example: '2026-12-01' },
  actor: { ...uuid, description: 'The account that acted' },
  action: {
    type: 'string',
    pattern: `^(${ACTIONS.join('|')})(,(${ACTIONS.join('|')}))*$`,
    'x-words': 'names of actions with commas between',
    description: `What was done; several with commas between: ${ACTIONS.join(', ')}`,
    example: 'ApiKeyIssued,ApiKeyRevoked',
  },
  app: { ...uuid, description: 'The app that it was about, as itself, or as that of a key or a grant' },
  subject: { type: 'string', pattern: '^[0-9A-Za-z-]{1,64}$', 'x-words': 'the id of what was changed', description: 'What was changed: the id of an app, key, member, invitation, organisation or account, or the name of a projection' },
} as const

const instant = { type: 'string', format: 'date-time' } as const
const facts = { type: 'object', nullable: true, additionalProperties: true } as const

export const auditEntryResult = {
  title: 'AuditEntry',
  type: 'object',
  additionalProperties: false,
  required: ['position', 'recordedAt', 'occurredAt', 'actor', 'action', 'label', 'subject', 'appId', 'before', 'after', 'erased'],
  properties: {
    position: { type: 'integer', minimum: 1, description: 'Of the event in the control partition of the log' },
    recordedAt: instant,
    occurredAt: instant,
    actor: {
      title: 'AuditActor',
      description: 'Who acted, called as they are now; null: the installation itself, or a command line',
      type: 'object',
      nullable: true,
      additionalProperties: false,
      required: ['accountId', 'email', 'name'],
      properties: { accountId: { type: 'string' }, email: { type: 'string', nullable: true }, name: { type: 'string', nullable: true } },
    },
    action: { type: 'string', enum: ACTIONS },
    label: { type: 'string', description: 'The action in words' },
    subject: {
      title: 'AuditSubject',
      type: 'object',
      additionalProperties: false,
      required: ['kind', 'id', 'name'],
      properties: { kind: { type: 'string', enum: SUBJECT_KINDS }, id: { type: 'string' }, name: { type: 'string', nullable: true, description: 'What it was called then' } },
    },
    appId: { type: 'string', nullable: true },
    before: { ...facts, description: 'What changed, as it was; null where there was nothing before' },
    after: { ...facts, description: 'What changed, as it is since; null where there is nothing any more' },
    erased: { type: 'boolean', description: 'Whether the content of the event was erased since' },
  },
} as const

export const auditResult = {
  title: 'AuditLog',
  description: 'What was done, newest first.',
  type: 'object',
  additionalProperties: false,
  required: ['entries', 'nextCursor'],
  properties: { entries: { type: 'array', maxItems: LIMITS.pageMax, items: auditEntryResult }, nextCursor: { type: 'string', nullable: true } },
} as const
