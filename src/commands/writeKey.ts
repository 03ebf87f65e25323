// Makes the short public write keys. Only their hash goes into the log; 32 characters out of 62 are 190 bits, so a plain
// hash cannot be searched back.
import { randomInt } from 'node:crypto'
import { sha256 } from '../kernel/hashing.ts'
import type { KeySecret } from './commandBus.ts'

const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const CHARS = 32
const HINT_CHARS = 7

/** A new write key with what the log may know of it: pass the result as `secret` to IssueApiKey and RotateApiKey. */
export function createWriteKey(): KeySecret & { readonly writeKey: string } {
  const writeKey = `rk_${randomLetters()}`
  return { writeKey, writeKeyHash: hashWriteKey(writeKey), writeKeyHint: writeKey.slice(0, HINT_CHARS) }
}

/** What `ControlState.keyByHash` takes. */
export function hashWriteKey(writeKey: string): string {
  return sha256(writeKey).toString('hex')
}

/** What comes after a secret's prefix: letters and digits that nobody can guess. */
export function randomLetters(): string {
  return Array.from({ length: CHARS }, () => LETTERS[randomInt(LETTERS.length)]!).join('')
}
