// What only the operator and the program may know: the secrets that sign tokens, of which one is generated and kept beside
// the embedded store where none is configured, and the owner code, which is fixed by the environment or derived from that
// secret so that all processes print the same.
import { hkdfSync, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Config, ConfigError, SECRET_CHARS } from './config.ts'

/** Named as in Config, so that a process which starts others can hand them over. */
export interface Secrets {
  readonly jwtSecret: string
  readonly jwtSecretPrevious: string | undefined
  readonly userTokenSecret: string | undefined
  readonly userTokenSecretPrevious: string | undefined
  readonly ownerCode: string
}

const CURRENT = 'jwt-secret'
const PREVIOUS = 'jwt-secret-previous'

/** Reads or makes the secrets. Writes DATA_DIR/jwt-secret (mode 0600) when none is configured. */
export function readSecrets(config: Config): Secrets {
  const { userTokenSecret, userTokenSecretPrevious } = config
  const signing = config.jwtSecret === undefined ? keptSecrets(config.dataDir) : { jwtSecret: config.jwtSecret, jwtSecretPrevious: config.jwtSecretPrevious }
  return { ...signing, userTokenSecret, userTokenSecretPrevious, ownerCode: config.ownerCode ?? derivedCode(signing.jwtSecret) }
}

/** What of the configuration no log line may hold. */
export function configuredSecrets(config: Config): string[] {
  const { jwtSecret, jwtSecretPrevious, userTokenSecret, userTokenSecretPrevious, ownerCode, metricsToken, google } = config
  const secrets = [jwtSecret, jwtSecretPrevious, userTokenSecret, userTokenSecretPrevious, ownerCode, metricsToken, google?.clientSecret]
  return secrets.filter((secret) => secret !== undefined)
}

/**
 * Makes a new kept secret and keeps the present one as the previous. False when there is none yet. Whenever the process dies
 * in between, the present one is still accepted. Throws ConfigError for a kept secret that is damaged.
 */
export function rotateKeptSecret(dataDir: string): boolean {
  const present = kept(dataDir, CURRENT)
  if (present === undefined) return false
  replace(join(dataDir, PREVIOUS), present)
  replace(join(dataDir, CURRENT), newSecret())
  return true
}

function keptSecrets(dataDir: string): Pick<Secrets, 'jwtSecret' | 'jwtSecretPrevious'> {
  try {
    mkdirSync(dataDir, { recursive: true })
  } catch (error) {
    throw new ConfigError('DATA_DIR', `cannot be made a directory: ${(error as Error).message}`, { cause: error })
  }
  try {
    // `wx`: of two processes that start at once one writes, and both read what it wrote.
    writeFileSync(join(dataDir, CURRENT), `${newSecret()}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return { jwtSecret: kept(dataDir, CURRENT)!, jwtSecretPrevious: kept(dataDir, PREVIOUS) }
}

function newSecret(): string {
  return randomBytes(32).toString('hex')
}

/** Undefined when there is no such file. What is too short was cut off when it was written: anybody could guess an empty one. */
function kept(dataDir: string, name: string): string | undefined {
  const path = join(dataDir, name)
  let secret: string
  try {
    secret = readFileSync(path, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  if (secret.length < SECRET_CHARS) {
    throw new ConfigError('DATA_DIR', `${path} is damaged, it has under ${SECRET_CHARS} characters: put it back from a backup, or delete it, which ends the tokens it signed`)
  }
  return secret
}

/** All or nothing, and on the disk when it returns. */
function replace(path: string, secret: string): void {
  const draft = `${path}.${process.pid}.draft`
  const file = openSync(draft, 'w', 0o600)
  try {
    writeFileSync(file, `${secret}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(draft, path)
}

// Without 0, O, 1, I and L, which people confuse when they type a code from a console.
const LETTERS = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'

function derivedCode(jwtSecret: string): string {
  const bytes = new Uint8Array(hkdfSync('sha256', jwtSecret, 'recount', 'owner-code', 16))
  const letters = Array.from(bytes, (byte) => LETTERS[byte % LETTERS.length]!)
  return [0, 4, 8, 12].map((at) => letters.slice(at, at + 4).join('')).join('-')
}
