// Every version of every event type that was ever written stays readable: one fixture each, kept for ever to the byte.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { CATALOGUE, decodeData } from '../../../src/events/catalogue.ts'
import { sha256 } from '../../../src/kernel/hashing.ts'
import { compile } from '../../../src/kernel/validation.ts'

const FOLDER = new URL('../../fixtures/events/', import.meta.url)
const MANIFEST = 'SHA256SUMS'

const versions = [...CATALOGUE.values()].flatMap((type) =>
  Array.from({ length: type.schemaVersion }, (_, index) => ({ type, version: index + 1, file: `${type.type}.v${index + 1}.json` })),
)

const read = (file: string): Buffer => readFileSync(new URL(file, FOLDER))

function manifest(): Map<string, string> {
  const lines = read(MANIFEST).toString('utf8').trimEnd().split('\n')
  return new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]))
}

describe('event fixtures', () => {
  it('there is one for every type and version in the catalogue, and none for anything else', () => {
    const files = readdirSync(FOLDER).filter((file) => file.endsWith('.json'))
    assert.deepEqual(files.sort(), versions.map(({ file }) => file).sort())
  })

  it('none was changed or taken away since it was written down', () => {
    const sums = manifest()
    for (const [file, sum] of sums) {
      assert.equal(sha256(read(file)).toString('hex'), sum, `${file} was changed: stored events of that version still look as before`)
    }
    assert.deepEqual([...sums.keys()].sort(), versions.map(({ file }) => file).sort(), 'add new fixtures to SHA256SUMS')
  })

  for (const { type, version, file } of versions) {
    it(`${file} decodes to the newest shape`, () => {
      const data = decodeData({ type: type.type, schemaVersion: version, data: read(file).toString('utf8') })
      assert.deepEqual(compile(type.schema)(data), [])
    })
  }
})
