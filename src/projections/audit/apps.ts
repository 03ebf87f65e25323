// What events about apps, grants on them and their keys say in the audit log, and what operators do to read models. An app's
// events stand in the log of the organisation that owns it at that moment; one that changes hands stands in both.
import { apiKeyAdopted } from '../../events/apiKeyAdopted.ts'
import { apiKeyIssued } from '../../events/apiKeyIssued.ts'
import { apiKeyRevoked } from '../../events/apiKeyRevoked.ts'
import { apiKeyRotated } from '../../events/apiKeyRotated.ts'
import { appDeleted } from '../../events/appDeleted.ts'
import { appGranted } from '../../events/appGranted.ts'
import { appGrantEnded } from '../../events/appGrantEnded.ts'
import { appRegistered } from '../../events/appRegistered.ts'
import { appTransferred } from '../../events/appTransferred.ts'
import { appUpdated } from '../../events/appUpdated.ts'
import { FIRST_ORGANISATION } from '../../events/organisations.ts'
import { projectionOperated } from '../../events/projectionOperated.ts'
import type { Change } from './change.ts'
import { difference, type Facts, instant, listed } from './facts.ts'
import { type Handler, on } from './handler.ts'
import { calledIn } from './people.ts'
import type { AppSubject, Subjects } from './subjects.ts'

const apps: readonly Handler[] = [
  on(
    appRegistered,
    () => undefined,
    ({ subjects }, { appId, organisationId = FIRST_ORGANISATION, name, url, settings }) => {
      const app: AppSubject = { organisationId, name, url, ...settings }
      subjects.put('app', [appId], app)
      return [{ ...appChange(subjects, appId), after: described(app), organisations: [organisationId] }]
    },
  ),
  on(
    appUpdated,
    ({ appId }, want) => want.one('app', appId),
    ({ subjects }, { appId, settings, ...rest }) => {
      const before = subjects.get('app', appId)
      if (before === undefined) return []
      const after: AppSubject = { ...before, ...rest, ...settings }
      subjects.put('app', [appId], after)
      return [{ ...appChange(subjects, appId), ...difference(described(before), described(after)), organisations: [after.organisationId] }]
    },
  ),
  on(
    appTransferred,
    ({ appId }, want) => {
      want.one('app', appId)
      want.under('grant', appId)
    },
    ({ subjects }, { appId, from, organisationId }) => {
      const grants = endGrants(subjects, appId)
      const app = subjects.get('app', appId)
      if (app !== undefined) subjects.put('app', [appId], { ...app, organisationId })
      const change = { ...appChange(subjects, appId), after: { organisationId } }
      // Who had which role on it is the business of those who gave it away.
      return [
        { ...change, before: { organisationId: from, ...grants }, organisations: [from] },
        { ...change, before: { organisationId: from }, organisations: [organisationId] },
      ]
    },
  ),
  on(
    appDeleted,
    ({ appId }, want) => {
      want.one('app', appId)
      want.under('key', appId)
      want.under('grant', appId)
    },
    ({ subjects }, { appId }, { occurredAt }) => {
      const app = subjects.get('app', appId)
      const before = { ...(app === undefined ? {} : described(app)), ...endKeys(subjects, appId, occurredAt), ...endGrants(subjects, appId) }
      return [{ ...appChange(subjects, appId), before, organisations: ownerOf(subjects, appId) }]
    },
  ),
]

const grants: readonly Handler[] = [
  on(
    appGranted,
    ({ appId, accountId }, want) => {
      want.one('app', appId)
      want.one('account', accountId)
      want.one('grant', appId, accountId)
    },
    ({ subjects }, { appId, accountId, role }) => {
      const before = subjects.get('grant', appId, accountId)
      const app = subjects.get('app', appId)
      if (app !== undefined) subjects.put('grant', [appId, accountId], { role, organisationId: app.organisationId })
      const changed = before === undefined ? { after: { role } } : difference({ role: before.role }, { role })
      // Where nobody is named, they came in by an invitation that this was part of.
      return [{ ...granteeChange(subjects, appId, accountId), actor: accountId, ...changed, organisations: ownerOf(subjects, appId) }]
    },
  ),
  on(
    appGrantEnded,
    ({ appId, accountId }, want) => {
      want.one('app', appId)
      want.one('account', accountId)
      want.one('grant', appId, accountId)
    },
    ({ subjects }, { appId, accountId }) => {
      const before = subjects.get('grant', appId, accountId)
      subjects.put('grant', [appId, accountId], undefined)
      return [{ ...granteeChange(subjects, appId, accountId), before: { role: before?.role }, organisations: ownerOf(subjects, appId) }]
    },
  ),
]

const keys: readonly Handler[] = [
  on(
    apiKeyIssued,
    ({ appId }, want) => want.one('app', appId),
    ({ subjects }, { keyId, appId, issuedBy, name, scopes, writeKeyHint, expiresAt, allowedOrigins, requestsPerMinute, replaces }) => {
      subjects.put('key', [appId, keyId], { name, issuedBy, expiresAt })
      const after = { name, issuedBy, scopes, writeKey: `${writeKeyHint}…`, expiresAt: instant(expiresAt), allowedOrigins, requestsPerMinute, replaces }
      return [{ ...keyChange(subjects, appId, keyId), after, organisations: ownerOf(subjects, appId) }]
    },
  ),
  on(
    apiKeyRotated,
    ({ appId, keyId }, want) => {
      want.one('app', appId)
      want.one('key', appId, keyId)
    },
    ({ subjects }, { keyId, appId, replacedBy, endsAt }) => {
      const before = subjects.get('key', appId, keyId)
      const expiresAt = Math.min(before?.expiresAt ?? endsAt, endsAt)
      if (before !== undefined) subjects.put('key', [appId, keyId], { ...before, expiresAt, replacedBy })
      const was = { expiresAt: instant(before?.expiresAt), replacedBy: before?.replacedBy }
      return [{ ...keyChange(subjects, appId, keyId), ...difference(was, { expiresAt: instant(expiresAt), replacedBy }), organisations: ownerOf(subjects, appId) }]
    },
  ),
  on(
    apiKeyRevoked,
    ({ appId, keyId }, want) => {
      want.one('app', appId)
      want.one('key', appId, keyId)
    },
    ({ subjects }, { keyId, appId }) => {
      const before = subjects.get('key', appId, keyId)
      if (before !== undefined) subjects.put('key', [appId, keyId], { ...before, revoked: true })
      return [{ ...keyChange(subjects, appId, keyId), ...difference({ revoked: before?.revoked === true }, { revoked: true }), organisations: ownerOf(subjects, appId) }]
    },
  ),
  on(
    apiKeyAdopted,
    ({ appId, keyId }, want) => {
      want.one('app', appId)
      want.one('key', appId, keyId)
    },
    ({ subjects }, { keyId, appId, issuedBy, scopes }) => {
      const before = subjects.get('key', appId, keyId)
      if (before !== undefined) subjects.put('key', [appId, keyId], { ...before, issuedBy })
      return [{ ...keyChange(subjects, appId, keyId), ...difference({ issuedBy: before?.issuedBy }, { issuedBy, scopes }), organisations: ownerOf(subjects, appId) }]
    },
  ),
]

const operations: readonly Handler[] = [
  on(
    projectionOperated,
    ({ appId }, want) => {
      if (appId !== undefined) want.one('app', appId)
    },
    ({ subjects }, { projection, action, appId, build }) => {
      const subject = { kind: 'projection', id: projection, name: projection } as const
      const elsewhere = appId === undefined ? [] : ownerOf(subjects, appId).filter((organisationId) => organisationId !== FIRST_ORGANISATION)
      // Those who run the installation do not learn of other organisations' apps from its log; their owners see who was at them.
      const own = elsewhere.length > 0 ? undefined : appId
      return [
        { subject, appId: own, after: { action, build }, organisations: [FIRST_ORGANISATION] },
        { subject, appId, after: { action, build }, organisations: elsewhere },
      ]
    },
  ),
]

export const APPS: readonly Handler[] = [...apps, ...grants, ...keys, ...operations]

/** Of an app whose registration was erased nobody knows whose it is, so what happens to it is shown to nobody. */
export function ownerOf(subjects: Subjects, appId: string): readonly string[] {
  const app = subjects.get('app', appId)
  return app === undefined ? [] : [app.organisationId]
}

function appChange(subjects: Subjects, appId: string): Pick<Change, 'subject' | 'appId'> {
  return { subject: { kind: 'app', id: appId, name: subjects.get('app', appId)?.name }, appId }
}

function keyChange(subjects: Subjects, appId: string, keyId: string): Pick<Change, 'subject' | 'appId'> {
  return { subject: { kind: 'key', id: keyId, name: subjects.get('key', appId, keyId)?.name }, appId }
}

function granteeChange(subjects: Subjects, appId: string, accountId: string): Pick<Change, 'subject' | 'appId'> {
  return { subject: { kind: 'member', id: accountId, name: calledIn(subjects, accountId) }, appId }
}

function described({ name, url, timezone, ip, keepQuery }: AppSubject): Facts {
  return { name, url, timezone, ip, keepQuery }
}

/** Those that still worked. */
function endKeys(subjects: Subjects, appId: string, nowMs: number): Facts {
  const live = subjects.under('key', appId).filter(([, { revoked, expiresAt }]) => revoked !== true && (expiresAt ?? Infinity) > nowMs)
  for (const [keyId, key] of live) subjects.put('key', [appId, keyId], { ...key, revoked: true })
  return listed('keys', live.map(([keyId, { name }]) => ({ keyId, name })))
}

function endGrants(subjects: Subjects, appId: string): Facts {
  const ended = subjects.under('grant', appId)
  for (const [accountId] of ended) subjects.put('grant', [appId, accountId], undefined)
  return listed('grants', ended.map(([accountId, { role }]) => ({ accountId, role })))
}
