// How history is sealed. An event's content hash is SHA-256(seal ‖ data); each append's hash is SHA-256(previous append's
// hash ‖ content hashes). The random seal keeps an erased event's data from being guessed back out of its content hash.
import { createHash, randomFillSync } from 'node:crypto'
import { sha256 } from '../kernel/hashing.ts'

export const SEAL_BYTES = 8
export const HASH_BYTES = 32
export const EMPTY_CHAIN: Buffer = Buffer.alloc(HASH_BYTES)

/** That many new seals, in one draw. */
export function newSeals(count: number): Buffer[] {
  const bytes = randomFillSync(Buffer.allocUnsafeSlow(count * SEAL_BYTES))
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * SEAL_BYTES, (index + 1) * SEAL_BYTES))
}

/** Of the data as appended; a redacted event carries it in its seal. */
export function contentHash(seal: Uint8Array, data: string | null): Uint8Array {
  if (isRedacted(seal)) return seal
  return sha256(seal, data ?? '')
}

export function isRedacted(seal: Uint8Array): boolean {
  return seal.length === HASH_BYTES
}

/** Takes content hashes in position order and answers the append's hash. */
export function chainFrom(previous: Uint8Array): { add(content: Uint8Array): void; hash(): Buffer } {
  const chain = createHash('sha256').update(previous)
  return {
    add: (content) => {
      chain.update(content)
    },
    hash: () => chain.digest(),
  }
}
