// What a client keeps for the server without being able to read or change it: refresh tokens, which say which session and
// which turn of it they are, and small state such as a sign-in under way. Nothing of it needs to be stored, and whatever was
// not sealed here byte for byte opens as nothing.
import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'
import { bytesToUuid, uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import { type TokenKeys, tokenKeys, type TokenSecrets } from './tokenKeys.ts'

export interface Refresh {
  readonly sessionId: string
  /** Which refresh token of the session it is, from 0. */
  readonly rotation: number
}

export interface Sealing {
  /** `rr_…`, always the same for the same session and rotation under the same secret. */
  sealRefresh(sessionId: string, rotation: number): string
  /** Undefined for what was not sealed under one of the two secrets. Whether the session goes on is not asked here. */
  openRefresh(text: string): Refresh | undefined
  /** Encrypted; `purpose` must be the same when it is opened, so that one kind of state cannot be given for another. */
  sealState(purpose: string, value: unknown, expiresAtMs: number): string
  /** Undefined for what was not sealed for this purpose, and after its time. */
  openState(purpose: string, text: string): unknown
}

const REFRESH = 'rr_'
const SESSION_BYTES = 16
const CLAIM_BYTES = SESSION_BYTES + 4
const MAC_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const CIPHER = 'aes-256-gcm'

export function createSealing(secrets: TokenSecrets, clock: Clock): Sealing {
  const refreshKeys = tokenKeys(secrets, 'refresh-token')
  const stateKeys = tokenKeys(secrets, 'sealed-state')
  return {
    sealRefresh: (sessionId, rotation) => {
      const claim = Buffer.alloc(CLAIM_BYTES)
      uuidToBytes(sessionId).copy(claim)
      claim.writeUInt32BE(rotation, SESSION_BYTES)
      return REFRESH + Buffer.concat([claim, macOf(claim, refreshKeys[0])]).toString('base64url')
    },
    openRefresh: (text) => {
      const bytes = text.startsWith(REFRESH) ? canonical(text.slice(REFRESH.length)) : undefined
      if (bytes?.length !== CLAIM_BYTES + MAC_BYTES) return undefined
      const claim = bytes.subarray(0, CLAIM_BYTES)
      const mac = bytes.subarray(CLAIM_BYTES)
      // Both keys are always tried, so that the time says nothing about which of them it was.
      const genuine = refreshKeys.map((key) => timingSafeEqual(macOf(claim, key), mac))
      return genuine.includes(true) ? { sessionId: bytesToUuid(claim), rotation: claim.readUInt32BE(SESSION_BYTES) } : undefined
    },
    sealState: (purpose, value, expiresAtMs) => {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(CIPHER, stateKeys[0].key, nonce).setAAD(Buffer.from(purpose))
      const sealed = Buffer.concat([cipher.update(JSON.stringify({ value, expiresAtMs })), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')
    },
    openState: (purpose, text) => {
      const bytes = canonical(text)
      if (bytes === undefined || bytes.length <= NONCE_BYTES + TAG_BYTES) return undefined
      const opened = unsealed(bytes, purpose, stateKeys)
      return opened === undefined || opened.expiresAtMs <= clock.now() ? undefined : opened.value
    },
  }
}

function macOf(claim: Buffer, { key }: TokenKeys[number]): Buffer {
  return createHmac('sha256', key).update(claim).digest()
}

function unsealed(bytes: Buffer, purpose: string, keys: TokenKeys): { value: unknown; expiresAtMs: number } | undefined {
  for (const { key } of keys) {
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(purpose)).setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
    const text = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES))
    try {
      return JSON.parse(Buffer.concat([text, decipher.final()]).toString()) as { value: unknown; expiresAtMs: number }
    } catch {
      // Not sealed with this key, or not as it was.
    }
  }
  return undefined
}

/** The bytes of base64url text that is written in the one way there is: of two texts for the same bytes only one counts. */
function canonical(text: string): Buffer | undefined {
  if (text.length > LIMITS.credentialChars) return undefined
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
