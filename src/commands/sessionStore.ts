// Which turn of its refresh token each session is at, shared by all processes through a table outside the log. Every turn is
// taken by one conditional UPDATE, so of two processes one takes it and the other sees that it was taken; nothing else is
// relied on. That somebody ended a session is in the log, which callers ask besides.
import type { Knex } from 'knex'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database.ts'
import { bytesToUuid, uuidToBytes } from '../kernel/ids.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'

export interface SessionIdentity {
  readonly sessionId: string
  readonly accountId: string
  /** Of the account when the session began. */
  readonly generation: number
}

export interface Session extends SessionIdentity {
  /** Which refresh token is the current one, from 0. */
  readonly rotation: number
  /** Epoch milliseconds at which it ends if nobody refreshes it. */
  readonly endsAt: number
}

export interface ListedSession extends Session {
  /** Epoch milliseconds. */
  readonly startedAt: number
  readonly refreshedAt: number
}

/** `repeated`: another tab took this turn a moment ago. `replayed`: the token was used up long before, so it is a copy. */
export type Rotated = { readonly outcome: 'rotated' | 'repeated' | 'replayed'; readonly session: Session } | { readonly outcome: 'ended' }

export interface SignInCode extends SessionIdentity {
  /** SHA-256 of the code. */
  readonly codeHash: Uint8Array
  /** SHA-256 of what only the command line knows that began the sign-in. */
  readonly challenge: Uint8Array
}

/** Its methods throw the driver's error when the database is away. */
export interface SessionStore {
  begin(identity: SessionIdentity): Promise<Session>
  /** Undefined once it has ended by its age or its rest, or was ended here. */
  find(sessionId: string): Promise<Session | undefined>
  /** Those of an account that have not ended by age or rest, newest first, LIMITS.sessionsListed at most. */
  listOf(accountId: string): Promise<ListedSession[]>
  rotate(sessionId: string, rotation: number): Promise<Rotated>
  end(sessionId: string): Promise<void>
  endAll(accountId: string): Promise<void>
  /** Keeps a code for LIMITS.exchangeCodeMs. */
  keepCode(code: SignInCode): Promise<void>
  /** Takes a code out, if it is there and in time: of all who ask for it, in whatever process, one gets it. */
  takeCode(codeHash: Uint8Array): Promise<SignInCode | undefined>
  /** Deletes what has ended; what the timer of `start` does. */
  prune(): Promise<void>
  start(logger: Logger): void
  stop(): void
}

type Bytes = Uint8Array | ArrayBuffer

interface SessionRow {
  session_id: Bytes
  account_id: Bytes
  generation: number
  rotation: number
  created_at: number | string
  rotated_at: number | string
}

interface CodeRow {
  code_hash: Bytes
  session_id: Bytes
  account_id: Bytes
  generation: number
  challenge: Bytes
  expires_at: number | string
}

export function createSessionStore({ database, clock }: { readonly database: Database; readonly clock: Clock }): SessionStore {
  const { knex } = database
  let timer: NodeJS.Timeout | undefined

  const row = async (sessionId: string): Promise<(Session & { rotatedAt: number }) | undefined> => {
    const found = await knex<SessionRow>('sessions').where('session_id', uuidToBytes(sessionId)).first()
    if (found === undefined) return undefined
    const session = { ...sessionOf(found), rotatedAt: Number(found.rotated_at) }
    return session.endsAt > clock.now() ? session : undefined
  }

  const prune = async (): Promise<void> => {
    const now = clock.now()
    await knex('sessions').where('rotated_at', '<=', now - LIMITS.sessionIdleMs).orWhere('created_at', '<=', now - LIMITS.sessionMs).delete()
    await knex('sign_in_codes').where('expires_at', '<=', now).delete()
  }

  return {
    prune,
    find: row,
    listOf: async (accountId) => {
      const rows = await knex<SessionRow>('sessions').where('account_id', uuidToBytes(accountId)).orderBy('created_at', 'desc').limit(LIMITS.sessionsListed)
      const listed = rows.map((found) => ({ ...sessionOf(found), startedAt: Number(found.created_at), refreshedAt: Number(found.rotated_at) }))
      return listed.filter(({ endsAt }) => endsAt > clock.now())
    },
    begin: async ({ sessionId, accountId, generation }) => {
      const now = clock.now()
      const ids = { session_id: uuidToBytes(sessionId), account_id: uuidToBytes(accountId) }
      await knex('sessions').insert({ ...ids, generation, rotation: 0, created_at: now, rotated_at: now })
      return { sessionId, accountId, generation, rotation: 0, endsAt: endOf(now, now) }
    },
    rotate: async (sessionId, rotation) => {
      const before = await row(sessionId)
      if (before === undefined) return { outcome: 'ended' }
      const now = clock.now()
      const turned = await knex('sessions')
        .where({ session_id: uuidToBytes(sessionId), rotation })
        .update({ rotation: rotation + 1, rotated_at: now })
      const session = await row(sessionId)
      // Gone in between, or the table was restored from an earlier time than the token is of.
      if (session === undefined || session.rotation < rotation) return { outcome: 'ended' }
      if (turned === 1) return { outcome: 'rotated', session }
      // Of a time to come by more than clocks may differ: nobody can say how long ago it was.
      const since = now - session.rotatedAt
      const justNow = session.rotation === rotation + 1 && since <= LIMITS.refreshOverlapMs && since >= -LIMITS.clockLeewaySeconds * 1_000
      return { outcome: justNow ? 'repeated' : 'replayed', session }
    },
    end: async (sessionId) => {
      await knex('sessions').where('session_id', uuidToBytes(sessionId)).delete()
    },
    endAll: async (accountId) => {
      await knex('sessions').where('account_id', uuidToBytes(accountId)).delete()
    },
    ...signInCodes(knex, clock),
    start(logger) {
      timer ??= setInterval(() => {
        prune().catch((error: unknown) => logger.warn('sessions that ended were not deleted; trying again', { error }))
      }, LIMITS.sessionSweepMs)
      timer.unref()
    },
    stop() {
      clearInterval(timer)
      timer = undefined
    },
  }
}

function signInCodes(knex: Knex, clock: Clock): Pick<SessionStore, 'keepCode' | 'takeCode'> {
  return {
    keepCode: async ({ codeHash, challenge, sessionId, accountId, generation }) => {
      const ids = { session_id: uuidToBytes(sessionId), account_id: uuidToBytes(accountId) }
      const expiresAt = clock.now() + LIMITS.exchangeCodeMs
      await knex('sign_in_codes').insert({ ...ids, code_hash: Buffer.from(codeHash), challenge: Buffer.from(challenge), generation, expires_at: expiresAt })
    },
    takeCode: async (codeHash) => {
      const place = { code_hash: Buffer.from(codeHash) }
      const found = await knex<CodeRow>('sign_in_codes').where(place).where('expires_at', '>', clock.now()).first()
      if (found === undefined || (await knex('sign_in_codes').where(place).delete()) !== 1) return undefined
      return { ...identityOf(found), codeHash, challenge: bytesOf(found.challenge) }
    },
  }
}

function endOf(createdAt: number, rotatedAt: number): number {
  return Math.min(createdAt + LIMITS.sessionMs, rotatedAt + LIMITS.sessionIdleMs)
}

function sessionOf(row: SessionRow): Session {
  return { ...identityOf(row), rotation: row.rotation, endsAt: endOf(Number(row.created_at), Number(row.rotated_at)) }
}

function identityOf(row: Pick<SessionRow, 'session_id' | 'account_id' | 'generation'>): SessionIdentity {
  return { sessionId: bytesToUuid(bytesOf(row.session_id)), accountId: bytesToUuid(bytesOf(row.account_id)), generation: row.generation }
}

// libsql answers ArrayBuffers, mysql2 Buffers.
function bytesOf(bytes: Bytes): Uint8Array {
  return bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes
}
