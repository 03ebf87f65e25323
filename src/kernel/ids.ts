// UUIDs (RFC 9562) as lower-case text in the program and as 16 bytes in the tables. Version 7 for ids we make, so that
// they arrive in index order; version 5 for ids we derive, so that a retry names the same thing.
import { createHash, randomFillSync } from 'node:crypto'

export const NIL_UUID = '00000000-0000-0000-0000-000000000000'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** True for a UUID of any version in lower case; upper case is to be lowered by the caller. */
export function isUuid(text: string): boolean {
  return text.length === 36 && UUID.test(text)
}

/** 16 bytes of a UUID's text. The text must be a valid UUID. */
export function uuidToBytes(uuid: string): Buffer {
  const bytes = Buffer.from(uuid.replaceAll('-', ''), 'hex')
  if (bytes.length !== 16) throw new TypeError('not a UUID')
  return bytes
}

/** Lower-case text of the 16 bytes that start at `offset`. */
export function bytesToUuid(bytes: Uint8Array, offset = 0): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset + offset, 16).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

const POOL_IDS = 256
const ID_BYTES = 10
const VARIANTS = ['8', '9', 'a', 'b'] as const
const pool = Buffer.alloc(POOL_IDS * ID_BYTES)
let digits = ''
let used = POOL_IDS
let time = { ms: Number.NaN, text: '' }

/** A new UUIDv7 for the millisecond `nowMs`; 74 random bits, drawn in bulk because one draw a call dominates its cost. */
export function uuidv7(nowMs: number = Date.now()): string {
  if (used === POOL_IDS) {
    digits = randomFillSync(pool).toString('hex')
    used = 0
  }
  if (nowMs !== time.ms) {
    const hex = nowMs.toString(16).padStart(12, '0')
    time = { ms: nowMs, text: `${hex.slice(0, 8)}-${hex.slice(8)}-7` }
  }
  const start = used++ * ID_BYTES
  const variant = VARIANTS[(pool[start + ID_BYTES - 1]! & 3) as 0 | 1 | 2 | 3]
  const at = start * 2
  return `${time.text}${digits.slice(at, at + 3)}-${variant}${digits.slice(at + 3, at + 6)}-${digits.slice(at + 6, at + 18)}`
}

/** UUIDv5 (SHA-1) of `name` in the namespace of another UUID: the same inputs always give the same id. */
export function uuidv5(namespace: string, name: string | Uint8Array): string {
  const digest = createHash('sha1').update(uuidToBytes(namespace)).update(name).digest()
  digest[6] = (digest[6]! & 0x0f) | 0x50
  digest[8] = (digest[8]! & 0x3f) | 0x80
  return bytesToUuid(digest)
}
