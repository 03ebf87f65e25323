// Makes the secrets of a deployment once and keeps them: node scripts/makeSecrets.js DIRECTORY. Run again it changes
// nothing and prints the owner code again. With --rotate, what signs tokens is replaced, and what it was stays accepted.
import { randomBytes, randomInt } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

// Without 0, O, 1, I and L, which people confuse when they type a code from a console.
const LETTERS = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'

const [directory, ...options] = process.argv.slice(2)
if (directory === undefined || options.some((option) => option !== '--rotate')) {
  process.stderr.write('Usage: node scripts/makeSecrets.js DIRECTORY [--rotate]\n')
  process.exit(2)
}
mkdirSync(directory, { recursive: true })
const signing = join(directory, 'jwt-secret')
if (options.length > 0 && existsSync(signing)) renameSync(signing, `${signing}-previous`)
keep('jwt-secret', 0o400, () => randomBytes(32).toString('hex'))
const ownerCode = keep('owner-code', 0o400, () =>
  Array.from({ length: 4 }, () => Array.from({ length: 4 }, () => LETTERS[randomInt(LETTERS.length)]).join('')).join('-'),
)
// Read by MySQL's own user in its container; the volume is mounted nowhere else.
keep('mysql-password', 0o444, () => randomBytes(24).toString('hex'))
keep('mysql-root-password', 0o444, () => randomBytes(24).toString('hex'))
process.stdout.write(`Owner code: ${ownerCode}\n`)

// Written whole or not at all: half a secret would be kept for ever.
function keep(name, mode, make) {
  const file = join(directory, name)
  if (!existsSync(file)) {
    writeFileSync(`${file}.new`, make(), { mode })
    renameSync(`${file}.new`, file)
  }
  return readFileSync(file, 'utf8')
}
