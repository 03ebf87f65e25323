// The visitor id of people who carry none: an HMAC of app, address and user agent under a salt of the app and local day,
// computed before the address is truncated. Once the salt is destroyed nobody can link it to an address, nor one day's
// id to the next.
import { createHmac } from 'node:crypto'

const ID_BYTES = 16

/** 22 characters base64url. `address` is canonical and whole; a missing user agent counts as an empty one. */
export function cookielessId(salt: Uint8Array, appId: string, address: string, userAgent: string): string {
  // Neither an app id nor an address can hold a newline, so no two triples give the same message.
  return createHmac('sha256', salt)
    .update(`${appId}\n${address}\n${userAgent}`)
    .digest()
    .toString('base64url', 0, ID_BYTES)
}
