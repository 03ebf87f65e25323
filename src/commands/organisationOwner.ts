// Whoever can open the stores, or starts the process, acts as an owner: of the organisation that the work is about, because
// others have no say there, and for what is new, of the first one.
import { Problem } from '../errors.ts'
import { FIRST_ORGANISATION } from '../events/organisations.ts'
import type { CommandBus } from './commandBus.ts'
import type { Keyring } from './keyring.ts'
import { signInOwner } from './signInOwner.ts'

/** An owner of the organisation; the first owner's account is made where nobody has signed in yet. Throws `not_found`. */
export async function organisationOwner({ keyring, bus }: { keyring: Keyring; bus: CommandBus }, organisationId = FIRST_ORGANISATION): Promise<string> {
  for (const { accountId, role } of keyring.state.membersOf(organisationId)) if (role === 'owner') return accountId
  if (organisationId !== FIRST_ORGANISATION) throw new Problem('not_found', 'There is no such organisation')
  return (await bus.execute(signInOwner, {}, { actor: undefined })).accountId
}
