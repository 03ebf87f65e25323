// Digests that serve as keys. Text is compared by its bytes and never by a collation, so MySQL, MariaDB and SQLite agree.
import { createHash, timingSafeEqual } from 'node:crypto'

/** SHA-256 over the concatenation of the parts, 32 bytes. Text counts as its UTF-8. */
export function sha256(...parts: (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** The 16-byte key of a text: the first half of the SHA-256 of its UTF-8. */
export function textKey(text: string): Buffer {
  return sha256(text).subarray(0, 16)
}

/** Equality in time that does not depend on where two secrets differ. */
export function secretsEqual(left: string, right: string): boolean {
  return timingSafeEqual(sha256(left), sha256(right))
}
