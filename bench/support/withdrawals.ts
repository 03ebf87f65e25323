// What can be taken away from somebody, and what may be wrong with the stores while it is.
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Asking } from '../../test/support/accessLoad.ts'
import { type AccessStack, collecting } from '../../test/support/accessStack.ts'
import { addMember } from '../../test/support/members.ts'

export interface Withdrawal {
  readonly name: string
  /** Measured with every condition; otherwise with all stores there. */
  readonly everywhere?: true
  /** What the load asks, and what takes it away: answers when it was answered, of performance.now(). */
  prepare(stack: AccessStack): Promise<{ asking: Asking; withdraw: () => Promise<number> }>
}

export interface Condition {
  readonly name: string
  /** Just before the revocation. */
  before?(stack: AccessStack): Promise<void> | void
  /** Just after its answer. */
  after?(stack: AccessStack): Promise<void> | void
  mend?(stack: AccessStack): Promise<void> | void
}

interface IssuedKey {
  readonly keyId: string
  readonly token: string
}

async function issue(stack: AccessStack, token: string, more: object = {}): Promise<IssuedKey> {
  return (await stack.change(token, '/auth/api-key', { appId: stack.app.appId, name: 'Bench', scopes: ['collect'], ...more })) as unknown as IssuedKey
}

async function answered(call: Promise<unknown>): Promise<number> {
  await call
  return performance.now()
}

const key: Withdrawal = {
  name: 'key',
  everywhere: true,
  async prepare(stack) {
    const owner = await stack.signIn()
    const { keyId, token } = await issue(stack, owner)
    return { asking: collecting(token), withdraw: () => answered(stack.change(owner, '/auth/revoke', { keyId })) }
  },
}

const rotation: Withdrawal = {
  name: 'key, rotated without overlap',
  async prepare(stack) {
    const owner = await stack.signIn()
    const { keyId, token } = await issue(stack, owner)
    return { asking: collecting(token), withdraw: () => answered(stack.change(owner, '/auth/regenerate', { keyId, overlapSeconds: 0 })) }
  },
}

const expiry: Withdrawal = {
  name: 'key, by its expiry',
  async prepare(stack) {
    const owner = await stack.signIn()
    const expiresAt = Date.now() + 2_500
    const { token } = await issue(stack, owner, { expiresAt: new Date(expiresAt).toISOString() })
    const withdraw = async (): Promise<number> => {
      const end = performance.now() + expiresAt - Date.now()
      await delay(end - performance.now())
      return end
    }
    return { asking: collecting(token), withdraw }
  },
}

const app: Withdrawal = {
  name: 'app',
  async prepare(stack) {
    const owner = await stack.signIn()
    const { appId } = (await stack.change(owner, '/auth/register', { name: 'Bench' })) as { appId: string }
    const { token } = await issue(stack, owner, { appId })
    return { asking: collecting(token), withdraw: () => answered(stack.change(owner, `/apps/${appId}`, {}, 'DELETE')) }
  },
}

const member: Withdrawal = {
  name: "member, by the member's key",
  async prepare(stack) {
    const [owner, joined] = await Promise.all([stack.signIn(), addMember(stack, 'admin')])
    const { token } = await issue(stack, joined.token)
    const path = `/organisations/${joined.organisationId}/members/${joined.accountId}`
    return { asking: collecting(token), withdraw: () => answered(stack.change(owner, path, {}, 'DELETE')) }
  },
}

const demotion: Withdrawal = {
  name: "admin's role, by the admin's key",
  async prepare(stack) {
    const [owner, joined] = await Promise.all([stack.signIn(), addMember(stack, 'admin')])
    const { token } = await issue(stack, joined.token)
    const path = `/organisations/${joined.organisationId}/members/${joined.accountId}`
    return { asking: collecting(token), withdraw: () => answered(stack.change(owner, path, { role: 'viewer' }, 'PATCH')) }
  },
}

const session: Withdrawal = {
  name: 'session, by sign-out',
  async prepare(stack) {
    const { token } = await addMember(stack, 'viewer')
    const asking: Asking = { method: 'GET', path: '/auth/me', token }
    return { asking, withdraw: () => answered(stack.change(token, '/auth/sign-out', {})) }
  },
}

export const WITHDRAWALS: readonly Withdrawal[] = [key, rotation, expiry, app, member, demotion, session]

const mendLog = ({ lastToLog }: AccessStack): void => lastToLog.mend()

export const CONDITIONS: readonly Condition[] = [
  { name: 'all there' },
  { name: 'Redis killed just before', before: ({ redis }) => redis.kill9(), mend: ({ redis }) => redis.restart() },
  { name: 'Redis frozen just before', before: ({ redis }) => redis.freeze(), mend: ({ redis }) => redis.thaw() },
  {
    name: 'Redis emptied just before',
    async before({ redis }) {
      const client = new Redis(redis.url)
      await client.flushall()
      await client.quit()
    },
  },
  { name: 'MariaDB frozen just after', after: ({ mariadb }) => mariadb.freeze(), mend: ({ mariadb }) => mariadb.thaw() },
  {
    name: 'one process cut from the log 2 s before',
    async before({ lastToLog }) {
      lastToLog.cut()
      await delay(2_000)
    },
    mend: mendLog,
  },
  { name: 'one process cut from the log just before', before: ({ lastToLog }) => lastToLog.cut(), mend: mendLog },
  {
    name: 'its packets to the log swallowed 2 s before',
    async before({ lastToLog }) {
      lastToLog.freeze()
      await delay(2_000)
    },
    mend: mendLog,
  },
  {
    name: 'that, and the revoking process cut from Redis',
    async before({ lastToLog, firstToRedis }) {
      lastToLog.cut()
      await delay(2_000)
      firstToRedis.cut()
    },
    mend({ lastToLog, firstToRedis }) {
      firstToRedis.mend()
      lastToLog.mend()
    },
  },
]
