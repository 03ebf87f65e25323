// A session ended before its time: its tokens are refused from now on, by every process.
import { eventType } from './eventType.ts'
import { objectSchema, uuid } from './schemas.ts'

export interface SignedOut {
  accountId: string
  sessionId: string
  /** `replayed`: an old refresh token was shown again, so somebody else has, or had, a copy of it. */
  reason: 'asked' | 'replayed'
}

export const signedOut = eventType<SignedOut>(
  'SignedOut',
  objectSchema({ accountId: uuid, sessionId: uuid, reason: { type: 'string', enum: ['asked', 'replayed'] } }, ['accountId', 'sessionId', 'reason']),
)
