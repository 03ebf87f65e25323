// The audit log of an organisation, for its admins: what was done, by whom, and what it was before and after; as pages, and as a
// file. Reading it, and the file, change nothing and are not in it.
import { pipeline } from 'node:stream/promises'
import { type Request, type Response, Router } from 'express'
import { atLeast } from '../../commands/roles.ts'
import { Problem } from '../../errors.ts'
import { csvRecord } from '../../kernel/csvText.ts'
import { LIMITS } from '../../limits.ts'
import type { AuditEntry, AuditFilter } from '../../queries/audit.ts'
import { auditFilters } from '../../queries/auditSchemas.ts'
import type { Page } from '../../queries/controlQueries.ts'
import { writeAnswer } from '../answers.ts'
import { isPresent, organisationOf, type UserCaller, userOf } from '../caller.ts'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireUser } from '../middleware/requireUser.ts'
import { queryOf, validateQuery } from '../middleware/validate.ts'
import { objectOf, page } from '../questions.ts'

type AuditDeps = Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'control' | 'clock' | 'logger'>
type Asked = AuditFilter & { readonly organisationId: string }
type Format = 'jsonl' | 'csv'

export const auditParameters = objectOf({ ...auditFilters, ...page }, ['organisationId'])
export const auditExportParameters = objectOf(
  { ...auditFilters, format: { type: 'string', enum: ['jsonl', 'csv'], default: 'jsonl', description: 'JSON lines, or CSV with a line of names' } },
  ['organisationId'],
)

export function auditRoutes(deps: AuditDeps): Router {
  const router = Router()
  /**
   * @openapi
   * /organisations/{organisationId}/audit:
   *   get:
   *     operationId: auditLog
   *     tags: [Audit]
   *     summary: What was done in an organisation, by whom, and what it was before and after
   *     description: >-
   *       Newest first, up to what was done a moment ago. People, apps, keys, grants, invitations, sign-ins, and for those who run
   *       the installation work on read models. What changes an app's numbers has records of its own: corrections and
   *       retractions at /analytics/restatements/reasons, definitions in the history at /definitions/{definitionId}. Reading is
   *       not recorded.
   *     x-access: { organisation: admin }
   *     x-query-schema: AuditParameters
   *     responses:
   *       200:
   *         description: A page of them
   *         content: { application/json: { schema: { $ref: '#/components/schemas/AuditLog' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router
    .route('/organisations/:organisationId/audit')
    .get(requireUser(deps), validateQuery(auditParameters), async (req, res) => {
      const { organisationId, ...asked } = queryOf(res) as Asked & Page
      await organisationOf(userOf(res), deps.keyring, organisationId, 'admin')
      writeAnswer(req, res, await deps.control.audit(organisationId, { ...asked, atLeast: deps.keyring.state.position }))
    })
    .all(otherMethods)
  exporting(router, deps)
  return router
}

function exporting(router: Router, deps: AuditDeps): void {
  const underWay = new Underway()
  /**
   * @openapi
   * /organisations/{organisationId}/audit/export:
   *   get:
   *     operationId: exportAuditLog
   *     tags: [Audit]
   *     summary: The audit log as a file
   *     description: >-
   *       The same entries, newest first, up to the moment of asking. More than fit into one file are refused with
   *       `too_many_rows`, which names the instant to divide them at. A file that breaks off is not whole: its connection was
   *       closed before its end. In CSV, text that a spreadsheet would take for a formula begins with an apostrophe.
   *     x-access: { organisation: admin }
   *     x-query-schema: AuditExportParameters
   *     responses:
   *       200:
   *         description: An entry a line
   *         content:
   *           application/jsonl: { schema: { type: string } }
   *           text/csv: { schema: { type: string } }
   */
  router
    .route('/organisations/:organisationId/audit/export')
    .get(requireUser(deps), validateQuery(auditExportParameters), async (req, res) => {
      const { organisationId, format = 'jsonl', ...filter } = queryOf(res) as Asked & { format?: Format }
      await organisationOf(userOf(res), deps.keyring, organisationId, 'admin')
      underWay.begin(organisationId)
      try {
        const pages = await deps.control.auditExport(organisationId, { ...filter, atLeast: deps.keyring.state.position })
        await send(deps, { req, res }, { organisationId, format, pages })
      } finally {
        underWay.end(organisationId)
      }
    })
    .all(otherMethods)
}

/** Exports at this moment. One organisation takes half of what there is at most, so that its slow readers keep nobody else out. */
class Underway {
  private readonly counts = new Map<string, number>()

  /** Throws Problem `rate_limited`. */
  begin(organisationId: string): void {
    const own = this.counts.get(organisationId) ?? 0
    const all = [...this.counts.values()].reduce((sum, count) => sum + count, 0)
    if (all >= LIMITS.auditExports || own >= LIMITS.auditExports / 2) throw new Problem('rate_limited', 'Too many exports are under way', { retryAfterSeconds: 5 })
    this.counts.set(organisationId, own + 1)
  }

  end(organisationId: string): void {
    const left = this.counts.get(organisationId)! - 1
    if (left > 0) this.counts.set(organisationId, left)
    else this.counts.delete(organisationId)
  }
}

interface File {
  readonly organisationId: string
  readonly format: Format
  readonly pages: AsyncIterable<readonly AuditEntry[]>
}

const TYPES: Readonly<Record<Format, string>> = { jsonl: 'application/jsonl; charset=utf-8', csv: 'text/csv; charset=utf-8; header=present' }

/** No faster than the client takes it: the next page is read when the one before has gone. */
async function send(deps: AuditDeps, { req, res }: { readonly req: Request; readonly res: Response }, { organisationId, format, pages }: File): Promise<void> {
  const user = userOf(res)
  const day = new Date(deps.clock.now()).toISOString().slice(0, 10)
  res.attachment(`recount-audit-${day}.${format}`)
  res.setHeader('Content-Type', TYPES[format])
  res.setHeader('Cache-Control', 'private, no-store')
  if (req.method === 'HEAD') {
    res.end()
    return
  }
  const text = async function* (): AsyncGenerator<string> {
    if (format === 'csv') yield csvRecord(COLUMNS)
    for await (const entries of pages) {
      // Somebody who is put out while a slow file goes to them gets no more of it.
      if (!mayStillRead(deps, organisationId, user)) throw new Problem('forbidden')
      yield entries.map((entry) => (format === 'csv' ? csvRecord(cellsOf(entry)) : `${JSON.stringify(entry)}\n`)).join('')
    }
  }
  try {
    await pipeline(text, res, { signal: AbortSignal.timeout(LIMITS.auditExportMs) })
  } catch (error) {
    // Its head has gone out, so all that can be done is to break it off, which the pipeline has done.
    if (!req.destroyed && !(error instanceof Problem)) deps.logger.warn('an export of the audit log broke off', { error })
  }
}

const COLUMNS = [
  ...['position', 'recordedAt', 'occurredAt', 'actorId', 'actorEmail', 'actorName', 'action', 'label'],
  ...['subjectKind', 'subjectId', 'subjectName', 'appId', 'before', 'after', 'erased'],
]

function cellsOf({ position, recordedAt, occurredAt, actor, action, label, subject, appId, before, after, erased }: AuditEntry): (string | number | null)[] {
  return [
    ...[position, recordedAt, occurredAt, actor?.accountId ?? null, actor?.email ?? null, actor?.name ?? null, action, label],
    ...[subject.kind, subject.id, subject.name, appId, jsonOf(before), jsonOf(after), String(erased)],
  ]
}

function jsonOf(facts: AuditEntry['before']): string | null {
  return facts === null ? null : JSON.stringify(facts)
}

function mayStillRead({ keyring: { state }, clock }: AuditDeps, organisationId: string, user: UserCaller): boolean {
  return isPresent(state, user, clock.now()) && atLeast(state.member(organisationId, user.accountId)?.role, 'admin')
}
