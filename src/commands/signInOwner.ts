// Lets the owner in; whoever calls has checked the owner code. The first sign-in creates the one owner account.
import { Problem } from '../errors.ts'
import { accountCreated, type AccountCreated } from '../events/accountCreated.ts'
import { objectSchema, uuid } from '../events/schemas.ts'
import { signedIn, type SignedIn } from '../events/signedIn.ts'
import { NIL_UUID, uuidv5 } from '../kernel/ids.ts'
import type { Command } from './commandBus.ts'
import { belongs } from './roles.ts'

// Fixed, so that two first sign-ins at the same time meet in one stream and cannot make two owners.
export const OWNER_ID = uuidv5(NIL_UUID, 'owner')

export interface SignInOwner {
  /** Where a session begins: people who come over HTTP. */
  sessionId?: string
}

export const signInOwner: Command<SignInOwner, { accountId: string }> = {
  name: 'SignInOwner',
  schema: { ...objectSchema({ sessionId: uuid }, []), title: 'SignInOwner', description: 'The owner signs in; the code was checked before.' },
  decide(state, { sessionId }) {
    const first = state.account(OWNER_ID) === undefined
    if (!first && !belongs(state, OWNER_ID)) throw new Problem('not_invited', 'The first owner was removed: sign in as yourself')
    const stream = `account:${OWNER_ID}`
    const created: AccountCreated = { accountId: OWNER_ID, role: 'owner' }
    const entered: SignedIn = { accountId: OWNER_ID, method: 'local', ...(sessionId === undefined ? {} : { sessionId }) }
    return {
      events: [
        ...(first ? [{ type: accountCreated, stream, appId: NIL_UUID, data: created }] : []),
        { type: signedIn, stream, appId: NIL_UUID, data: entered },
      ],
      result: { accountId: OWNER_ID },
    }
  },
}
