// Ends all sessions of somebody else: for those who run the installation, when a laptop is lost and its owner cannot be reached. An
// organisation's admins remove a member instead; sessions are the account's, which may belong to other organisations too.
import { Problem } from '../errors.ts'
import { objectSchema, uuid } from '../events/schemas.ts'
import { signedOutEverywhere, type SignedOutEverywhere } from '../events/signedOutEverywhere.ts'
import { FIRST_ORGANISATION } from '../events/organisations.ts'
import { NIL_UUID } from '../kernel/ids.ts'
import type { Command } from './commandBus.ts'
import { actingAccount, isOperator } from './roles.ts'

export interface SignOutAccount {
  accountId: string
}

export const signOutAccount: Command<SignOutAccount, { accountId: string }> = {
  name: 'SignOutAccount',
  schema: {
    ...objectSchema({ accountId: uuid }, ['accountId']),
    ...{ title: 'SignOutAccount', description: 'Whose sessions end.' },
  },
  withdraws: true,
  decide(state, { accountId }, context) {
    if (!isOperator(state, actingAccount(state, context))) throw new Problem('forbidden', 'This is for those who run the installation')
    if (state.account(accountId) === undefined) throw new Problem('not_found', 'There is no such account')
    const data: SignedOutEverywhere = { accountId }
    return {
      events: [{ type: signedOutEverywhere, stream: `account:${accountId}`, appId: NIL_UUID, data }],
      result: { accountId },
      // Who runs the installation may change in between.
      guards: [`organisation:${FIRST_ORGANISATION}`],
    }
  },
}
