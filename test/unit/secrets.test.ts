// The secret that Recount keeps for itself: made once, readable by its owner alone, replaced without ever losing the present
// one, and never used when it is damaged.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, readConfig } from '../../src/config.ts'
import { readSecrets, rotateKeptSecret, type Secrets } from '../../src/secrets.ts'
import { scratchDirectory } from '../support/scratch.ts'

describe('secrets that are kept', () => {
  let directory: string
  beforeEach(() => (directory = scratchDirectory('secrets')))
  const read = (env: Record<string, string> = {}): Secrets => readSecrets(readConfig({ DATA_DIR: directory, ...env }))
  const kept = (name: string): string => readFileSync(join(directory, name), 'utf8').trim()

  it('are made at the first start and read at all others, by their owner alone', () => {
    const first = read()
    assert.match(first.jwtSecret, /^[0-9a-f]{64}$/)
    assert.equal(first.jwtSecretPrevious, undefined)
    assert.deepEqual(read(), first)
    assert.equal(statSync(join(directory, 'jwt-secret')).mode & 0o777, 0o600)
  })

  it('give way to what the environment says', () => {
    read()
    rotateKeptSecret(directory)
    const secret = 'of the environment'.padEnd(32, '.')
    const { jwtSecret, jwtSecretPrevious } = read({ JWT_SECRET: secret })
    assert.deepEqual({ jwtSecret, jwtSecretPrevious }, { jwtSecret: secret, jwtSecretPrevious: undefined })
  })

  it('are replaced: the present one becomes the previous, and the one before it goes', () => {
    const [first, second, third] = [read(), rotated(), rotated()]
    assert.equal(second.jwtSecretPrevious, first.jwtSecret)
    assert.equal(third.jwtSecretPrevious, second.jwtSecret)
    assert.equal(new Set([first, second, third].map(({ jwtSecret }) => jwtSecret)).size, 3)
    assert.notEqual(second.ownerCode, first.ownerCode)
    assert.deepEqual(readdirSync(directory).sort(), ['jwt-secret', 'jwt-secret-previous'])
    for (const name of readdirSync(directory)) assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600, name)
  })

  it('cannot be replaced before there is one', () => {
    assert.equal(rotateKeptSecret(directory), false)
    assert.equal(existsSync(join(directory, 'jwt-secret-previous')), false)
  })

  for (const name of ['jwt-secret', 'jwt-secret-previous']) {
    it(`stop the start when ${name} was cut off`, () => {
      read()
      rotateKeptSecret(directory)
      for (const rest of ['', '\n', kept(name).slice(0, 31)]) {
        writeFileSync(join(directory, name), rest)
        assert.throws(read, (error) => error instanceof ConfigError && error.variable === 'DATA_DIR' && error.message.includes(`${name} is damaged`))
      }
      rmSync(join(directory, name))
      assert.match(read().jwtSecret, /^[0-9a-f]{64}$/)
    })
  }

  function rotated(): Secrets {
    assert.equal(rotateKeptSecret(directory), true)
    return read()
  }
})
