// Ends one session for good. It asks for no role: whoever lost everything may still sign out. Ending a session again changes
// nothing and answers the same.
import { objectSchema, uuid } from '../events/schemas.ts'
import { signedOut, type SignedOut as Ended } from '../events/signedOut.ts'
import { NIL_UUID } from '../kernel/ids.ts'
import type { Command } from './commandBus.ts'
import { knownAccount } from './roles.ts'

export interface SignOut {
  sessionId: string
  /** `asked` unless given. */
  reason?: Ended['reason']
}

export const signOut: Command<SignOut, { sessionId: string }> = {
  name: 'SignOut',
  schema: {
    ...objectSchema({ sessionId: uuid, reason: { type: 'string', enum: ['asked', 'replayed'] } }, ['sessionId']),
    ...{ title: 'SignOut', description: 'The session that ends.' },
  },
  withdraws: true,
  decide(state, { sessionId, reason = 'asked' }, context) {
    const accountId = knownAccount(state, context)
    const data: Ended = { accountId, sessionId, reason }
    const events = state.sessionEnded(sessionId) ? [] : [{ type: signedOut, stream: `account:${accountId}`, appId: NIL_UUID, data }]
    return { events, result: { sessionId } }
  },
}
