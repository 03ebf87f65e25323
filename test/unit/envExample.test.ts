// .env.example is what an operator copies: it names every variable that config.ts reads, and its values are the defaults.
import { strict as assert } from 'node:assert'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readConfig } from '../../src/config.ts'

const ROOT = join(import.meta.dirname, '../..')

describe('.env.example', () => {
  const example = readFileSync(join(ROOT, '.env.example'), 'utf8')
  const pairs = [...example.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name!, value!] as const)

  it('names each variable that the configuration reads, once, and no other', () => {
    const config = readFileSync(join(ROOT, 'src/config.ts'), 'utf8')
    const read = new Set([...config.matchAll(/\(env, '([A-Z_]+)'/g), ...config.matchAll(/\benv\.([A-Z_]+)/g)].map(([, name]) => name!))
    assert.ok(read.size > 20)
    assert.deepEqual(pairs.map(([name]) => name).sort(), [...read].sort())
  })

  it('holds the defaults', () => {
    assert.deepEqual(readConfig(Object.fromEntries(pairs)), readConfig({}))
  })
})
