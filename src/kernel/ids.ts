// UUIDs (RFC 9562) as lower-case text in the program and as 16 bytes in the tables. Version 7 for ids we make, so that
// they arrive in index order; version 5 for ids we derive, so that a retry names the same thing.
import { hash, randomFillSync } from 'node:crypto'

export const NIL_UUID = '00000000-0000-0000-0000-000000000000'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** True for a UUID of any version in lower case; upper case is to be lowered by the caller. */
export function isUuid(text: string): boolean {
  return text.length === 36 && UUID.test(text)
}

/** 16 bytes of a UUID's text. The text must be a valid UUID. */
export function uuidToBytes(uuid: string): Buffer {
  const bytes = Buffer.allocUnsafe(16)
  let faults = uuid.length === 36 ? 0 : -1
  // Digit by digit: to take the dashes out first costs more than all the rest, and every stored event comes by here.
  for (let byte = 0, at = 0; byte < 16; byte++, at += 2) {
    if (byte === 4 || byte === 6 || byte === 8 || byte === 10) at++
    const high = DIGITS[uuid.charCodeAt(at)] ?? -1
    const low = DIGITS[uuid.charCodeAt(at + 1)] ?? -1
    faults |= high | low
    bytes[byte] = (high << 4) | low
  }
  if (faults < 0) throw new TypeError('not a UUID')
  return bytes
}

/** What a hexadecimal digit is worth, by its code; -1 for what is none. */
const DIGITS = Int8Array.from({ length: 128 }, (_, code) => {
  const value = Number.parseInt(String.fromCharCode(code), 16)
  return Number.isNaN(value) ? -1 : value
})

/** Lower-case text of the 16 bytes that start at `offset`. */
export function bytesToUuid(bytes: Uint8Array, offset = 0): string {
  // Digit by digit into one text: a rebuild spells out an id per event, and pieces put together are garbage seven times.
  for (let byte = 0, at = 0; byte < 16; byte++, at += 2) {
    if (byte === 4 || byte === 6 || byte === 8 || byte === 10) at++
    const value = bytes[offset + byte]!
    text[at] = HEX_CODES[value >>> 4]!
    text[at + 1] = HEX_CODES[value & 15]!
  }
  return text.toString('latin1')
}

const HEX_CODES = Buffer.from('0123456789abcdef')
const text = Buffer.from(NIL_UUID)

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
  return uuidv5Of(Buffer.concat([uuidToBytes(namespace), typeof name === 'string' ? Buffer.from(name) : name]))
}

/** The same of namespace and name in one buffer. */
export function uuidv5Of(message: Uint8Array): string {
  // As text, because a digest as bytes costs three times as much.
  const hex = hash('sha1', message, 'hex')
  const variant = VARIANTS[(Number.parseInt(hex[16]!, 16) & 3) as 0 | 1 | 2 | 3]
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
