// Tokens as an attacker would make them: any header, any claims, any key, written byte by byte, because libraries refuse to.
import { createHmac, hkdfSync, type KeyObject } from 'node:crypto'

export interface Forged {
  readonly header?: unknown
  readonly claims?: unknown
  /** Instead of the header and claims, as text. */
  readonly headerText?: string
  readonly claimsText?: string
  readonly key?: string | Buffer | KeyObject
  readonly hash?: 'sha256' | 'sha384' | 'sha512'
}

export function forge({ header = {}, claims = {}, headerText, claimsText, key = '', hash = 'sha256' }: Forged): string {
  const said = `${base64url(headerText ?? JSON.stringify(header))}.${base64url(claimsText ?? JSON.stringify(claims))}`
  return `${said}.${createHmac(hash, key).update(said).digest('base64url')}`
}

export function base64url(text: string): string {
  return Buffer.from(text).toString('base64url')
}

/** What only the server has: for tokens that are wrong in nothing but the one thing that is tried. */
export function derivedKey(secret: string, use: 'user-token' | 'analytics-token'): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'recount', use, 32))
}

/** Every other character that stands for the same bytes at the end of base64url text. */
export function twinsOf(token: string): string[] {
  const alphabet = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
  const bytesOf = (text: string): string => Buffer.from(text.split('.').at(-1)!, 'base64url').toString('hex')
  return alphabet.map((char) => token.slice(0, -1) + char).filter((twin) => twin !== token && bytesOf(twin) === bytesOf(token))
}
