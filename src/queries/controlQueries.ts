// Questions about the control plane: apps, keys, people and projections. They are small, asked by people and answered uncached from
// one snapshot, with the position they stand at; `atLeast` makes a reader see what it has just done.
import { setTimeout as pause } from 'node:timers/promises'
import type { Knex } from 'knex'
import type { EventLog } from '../events/eventLog.ts'
import { headsLine, publish, type PublishedHeads } from '../events/publishedHeads.ts'
import type { MemberRole, Role } from '../events/organisations.ts'
import type { Scope } from '../events/schemas.ts'
import type { Database } from '../kernel/database.ts'
import { sha256 } from '../kernel/hashing.ts'
import { LIMITS } from '../limits.ts'
import { PROJECTIONS } from '../projections/all.ts'
import { liveBuild } from '../projections/builds.ts'
import { readCheckpoint } from '../projections/checkpoints.ts'
import { readApp, readApps } from './apps.ts'
import { type AuditEntry, type AuditFilter, auditScope, readAudit } from './audit.ts'
import { exportAudit } from './auditExport.ts'
import { readGrants } from './grants.ts'
import { readInvitations } from './invitations.ts'
import { readKeys } from './keys.ts'
import { readMembers } from './members.ts'
import { readOrganisation, readOrganisations } from './organisations.ts'
import { readProjections } from './projections.ts'
import type { Answer } from './query.ts'

export interface Page {
  readonly limit?: number
  readonly cursor?: string
}

export interface Freshness {
  /** Waits, up to LIMITS.waitForEventMs, until the read model has folded this position of the control partition. */
  readonly atLeast?: number
}

export interface ControlQueries {
  /** Those of the apps that are not deleted, each with the reader's role on it. */
  apps(roles: ReadonlyMap<string, Role>, page: Page & Freshness): Promise<Answer>
  /** Throws Problem `not_found`. */
  app(appId: string, role: Role, options: Freshness): Promise<Answer>
  /** The keys of an app, newest first; `present`: what each may do now. */
  keys(appId: string, present: ReadonlyMap<string, readonly Scope[]>, page: Page & Freshness): Promise<Answer>
  /** The organisations, each with the reader's role in it. */
  organisations(roles: ReadonlyMap<string, MemberRole>, page: Page & Freshness): Promise<Answer>
  /** Throws Problem `not_found`. */
  organisation(organisationId: string, role: MemberRole, options: Freshness): Promise<Answer>
  /** In the order in which they joined; `keys`: how many working keys stand on each account. */
  members(organisationId: string, keys: ReadonlyMap<string, number>, page: Page & Freshness): Promise<Answer>
  /** Newest first; `now` decides which have expired. */
  invitations(organisationId: string, now: number, page: Page & Freshness): Promise<Answer>
  /** What was granted on an app. */
  grants(app: { readonly appId: string; readonly organisationId: string }, page: Page & Freshness): Promise<Answer>
  /** What was done in an organisation, newest first. Throws Problem `empty_range`, `invalid_parameter`. */
  audit(organisationId: string, asked: AuditFilter & Page & Freshness): Promise<Answer>
  /** The same as a whole, in pages. Throws Problem `too_many_rows` besides. */
  auditExport(organisationId: string, asked: AuditFilter & Freshness): Promise<AsyncIterable<readonly AuditEntry[]>>
  projections(): Promise<Answer>
  /** The heads of the append chain to publish, also as one line. */
  logHeads(nowMs: number): Promise<PublishedHeads & { readonly line: string }>
}

export function createControlQueries({ database, log }: { database: Database; log: EventLog }): ControlQueries {
  const ask = async (
    projection: string,
    { atLeast = 0 }: Freshness,
    question: (trx: Knex, build: number) => Promise<Record<string, unknown>>,
  ): Promise<Answer> => {
    await folded(database, projection, atLeast)
    const head = await log.head(0)
    return database.snapshot(async (trx) => {
      const build = (await liveBuild(trx, projection)) ?? 0
      const body = await question(trx, build)
      const at = await readCheckpoint(trx, { projection, build, partition: 0 })
      const position = at?.position ?? 0
      const recordedAt = at === undefined || at.recordedAt === 0 ? null : new Date(at.recordedAt).toISOString()
      // Only what was asked for makes the tag: a control event elsewhere is no news to this reader.
      return answer({ ...body, asOf: { position, recordedAt, lagEvents: Math.max(0, head.position - position) } }, body)
    })
  }
  return {
    apps: (roles, options) => ask('apps', options, (trx, build) => readApps(trx, build, roles, options)),
    app: (appId, role, options) => ask('apps', options, async (trx, build) => ({ ...(await readApp(trx, build, appId, role)) })),
    keys: (appId, present, options) => ask('keys', options, (trx, build) => readKeys(trx, build, appId, present, options)),
    organisations: (roles, options) => ask('organisations', options, (trx, build) => readOrganisations(trx, build, roles, options)),
    organisation: (organisationId, role, options) => ask('organisations', options, async (trx, build) => ({ ...(await readOrganisation(trx, build, organisationId, role)) })),
    members: (organisationId, keys, options) => ask('organisations', options, (trx, build) => readMembers(trx, build, organisationId, keys, options)),
    invitations: (organisationId, now, options) => ask('organisations', options, (trx, build) => readInvitations(trx, build, organisationId, now, options)),
    grants: (app, options) => ask('organisations', options, (trx, build) => readGrants(trx, build, app, options)),
    audit: async (organisationId, asked) => {
      const scope = await auditScope(log, organisationId, asked)
      return ask('audit', asked, (trx, build) => readAudit(trx, build, scope, asked))
    },
    auditExport: async (organisationId, { atLeast = 0, ...filter }) => {
      const scope = await auditScope(log, organisationId, filter)
      await folded(database, 'audit', atLeast)
      return exportAudit(database, scope)
    },
    projections: async () => {
      const heads = await log.heads()
      const body = { projections: await database.snapshot((trx) => readProjections(trx, PROJECTIONS, heads)) }
      return answer(body, body)
    },
    logHeads: async (nowMs) => {
      const published = publish(await log.heads(), nowMs)
      return { ...published, line: headsLine(published) }
    },
  }
}

function answer(body: Record<string, unknown>, tagged: Record<string, unknown>): Answer {
  return { body, etag: `"${sha256(JSON.stringify(tagged)).toString('base64url').slice(0, 22)}"`, cached: false }
}

/** Answers what there is when the time is up: `asOf` says how old it is. */
async function folded(database: Database, projection: string, atLeast: number): Promise<void> {
  const until = performance.now() + LIMITS.waitForEventMs
  while (atLeast > 0) {
    const build = await liveBuild(database.knex, projection)
    const at = build === undefined ? undefined : await readCheckpoint(database.knex, { projection, build, partition: 0 })
    if ((at?.position ?? 0) >= atLeast || performance.now() > until) return
    await pause(WAIT_STEP_MS)
  }
}

const WAIT_STEP_MS = 10
