// Makes the links that let somebody into an organisation. Like a write key's, only the token's hash goes into the log.
import { sha256 } from '../kernel/hashing.ts'
import { randomLetters } from './writeKey.ts'

/** What a token looks like. */
export const INVITATION_TOKEN = '^ri_[0-9A-Za-z]{32}$'

/** A new token, shown once, with what the log may know of it: InviteMember takes the hash. */
export function createInvitationToken(): { readonly token: string; readonly tokenHash: string } {
  const token = `ri_${randomLetters()}`
  return { token, tokenHash: hashInvitationToken(token) }
}

/** What `ControlState.invitationByHash` takes. */
export function hashInvitationToken(token: string): string {
  return sha256(token).toString('hex')
}
