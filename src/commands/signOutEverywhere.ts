// Ends all sessions of an account, wherever they are. Like SignOut it asks for no role.
import { objectSchema } from '../events/schemas.ts'
import { signedOutEverywhere, type SignedOutEverywhere } from '../events/signedOutEverywhere.ts'
import { NIL_UUID } from '../kernel/ids.ts'
import type { Command } from './commandBus.ts'
import { knownAccount } from './roles.ts'

export const signOutEverywhere: Command<object, { accountId: string }> = {
  name: 'SignOutEverywhere',
  schema: { ...objectSchema({}, []), title: 'SignOutEverywhere', description: 'All sessions of the account that asks end.' },
  withdraws: true,
  decide(state, _input, context) {
    const accountId = knownAccount(state, context)
    const data: SignedOutEverywhere = { accountId }
    return { events: [{ type: signedOutEverywhere, stream: `account:${accountId}`, appId: NIL_UUID, data }], result: { accountId } }
  },
}
