// The audit log of one organisation as a whole: everything up to where the read model stood when it was asked for, page by page,
// each from a snapshot of its own. What is recorded meanwhile is not in it, and nothing is in it twice.
import { Problem } from '../errors.ts'
import type { Database } from '../kernel/database.ts'
import { LIMITS } from '../limits.ts'
import { liveBuild } from '../projections/builds.ts'
import { readCheckpoint } from '../projections/checkpoints.ts'
import { type AuditEntry, type AuditScope, entriesIn, readAudit } from './audit.ts'

/** Pages, newest first, read as they are asked for. Throws Problem `too_many_rows` before the first. */
export async function exportAudit(database: Database, scope: AuditScope, rowsMax: number = LIMITS.auditExportRows): Promise<AsyncIterable<readonly AuditEntry[]>> {
  const upTo = await database.snapshot(async (trx) => {
    const build = (await liveBuild(trx, 'audit')) ?? 0
    const beyond = await entriesIn(trx, build, scope).orderBy('position', 'desc').offset(rowsMax).first<{ recorded_at: number | string } | undefined>('recorded_at')
    if (beyond !== undefined) throw tooMany(rowsMax, Number(beyond.recorded_at))
    const at = await readCheckpoint(trx, { projection: 'audit', build, partition: 0 })
    return Math.min(scope.upTo, at?.position ?? 0)
  })
  return pagesOf(database, { ...scope, upTo })
}

async function* pagesOf(database: Database, scope: AuditScope): AsyncGenerator<readonly AuditEntry[]> {
  let cursor: string | null = null
  do {
    // The live build may change between two pages; what stands at a position is the same in each.
    const page: { entries: AuditEntry[]; nextCursor: string | null } = await database.snapshot(async (trx) => {
      const build = (await liveBuild(trx, 'audit')) ?? 0
      return readAudit(trx, build, scope, { limit: LIMITS.pageMax, ...(cursor === null ? {} : { cursor }) })
    })
    yield page.entries
    cursor = page.nextCursor
  } while (cursor !== null)
}

function tooMany(rowsMax: number, recordedAtMs: number): Problem {
  const cut = new Date(recordedAtMs + 1).toISOString()
  return new Problem('too_many_rows', `An export has at most ${rowsMax} entries: the newest of these begin with from=${cut}; ask for the others with to=${cut}, or for fewer by actor, action, app or subject`)
}
