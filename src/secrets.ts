// What only the operator and the program may know: the token secret, generated once and kept beside the embedded store,
// and the owner code, which is fixed by the environment or derived from that secret so that all processes print the same.
import { hkdfSync, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Config, ConfigError } from './config.ts'

export interface Secrets {
  readonly jwtSecret: string
  readonly ownerCode: string
}

/** Reads or makes the secrets. Writes DATA_DIR/jwt-secret (mode 0600) when none is configured. */
export function readSecrets(config: Config): Secrets {
  const jwtSecret = config.jwtSecret ?? keptSecret(config.dataDir)
  return { jwtSecret, ownerCode: config.ownerCode ?? derivedCode(jwtSecret) }
}

function keptSecret(dataDir: string): string {
  const path = join(dataDir, 'jwt-secret')
  try {
    mkdirSync(dataDir, { recursive: true })
  } catch (error) {
    throw new ConfigError('DATA_DIR', `cannot be made a directory: ${(error as Error).message}`, { cause: error })
  }
  try {
    // `wx`: of two processes that start at once one writes, and both read what it wrote.
    writeFileSync(path, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readFileSync(path, 'utf8').trim()
}

// Without 0, O, 1, I and L, which people confuse when they type a code from a console.
const LETTERS = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'

function derivedCode(jwtSecret: string): string {
  const bytes = new Uint8Array(hkdfSync('sha256', jwtSecret, 'recount', 'owner-code', 16))
  const letters = Array.from(bytes, (byte) => LETTERS[byte % LETTERS.length]!)
  return [0, 4, 8, 12].map((at) => letters.slice(at, at + 4).join('')).join('-')
}
