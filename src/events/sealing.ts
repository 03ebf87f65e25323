// How history is sealed. An event's content hash is SHA-256(seal ‖ data); each append's hash is SHA-256(previous append's
// hash ‖ content hashes). The random seal keeps an erased event's data from being guessed back out of its content hash.
import { createHash, hash, randomFillSync } from 'node:crypto'

export const SEAL_BYTES = 8
export const HASH_BYTES = 32
export const EMPTY_CHAIN: Buffer = Buffer.alloc(HASH_BYTES)

// Most events fit; one call on bytes in place costs half of what a hash object does.
const together = Buffer.allocUnsafeSlow(16_384)

/** That many new seals, in one draw. */
export function newSeals(count: number): Buffer[] {
  const bytes = randomFillSync(Buffer.allocUnsafeSlow(count * SEAL_BYTES))
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * SEAL_BYTES, (index + 1) * SEAL_BYTES))
}

/** Of the data as appended; a redacted event carries it in its seal. */
export function contentHash(seal: Uint8Array, data: string | null): Uint8Array {
  return isRedacted(seal) ? seal : Buffer.from(digest(seal, data ?? ''), 'binary')
}

export function isRedacted(seal: Uint8Array): boolean {
  return seal.length === HASH_BYTES
}

/** Takes events' seals and data in position order and answers the append's hash. */
export function chainFrom(previous: Uint8Array): { add(seal: Uint8Array, data: string | null): void; hash(): Buffer } {
  let contents = Buffer.allocUnsafe(64 * HASH_BYTES)
  contents.set(previous)
  let size = previous.length
  return {
    add: (seal, data) => {
      if (size + HASH_BYTES > contents.length) contents = Buffer.concat([contents], 2 * contents.length)
      if (isRedacted(seal)) contents.set(seal, size)
      else contents.write(digest(seal, data ?? ''), size, 'binary')
      size += HASH_BYTES
    },
    hash: () => hash('sha256', contents.subarray(0, size), 'buffer'),
  }
}

/** As a binary string, because a buffer costs as much as the hash. */
function digest(seal: Uint8Array, data: string): string {
  // A UTF-16 unit takes at most three bytes.
  if (SEAL_BYTES + 3 * data.length > together.length) return createHash('sha256').update(seal).update(data).digest('binary')
  together.set(seal)
  const end = SEAL_BYTES + together.write(data, SEAL_BYTES, 'utf8')
  return hash('sha256', together.subarray(0, end), 'binary')
}
