// The diagram in docs/ is what the migrations make, table by table and byte by byte.
import { strict as assert } from 'node:assert'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { drawDiagram } from '../../scripts/er-diagram.ts'

const DOCS = join(import.meta.dirname, '../../docs')

describe('the ER diagram', () => {
  it('is what the migrations make (npm run er-diagram)', async () => {
    for (const [name, fresh] of Object.entries(await drawDiagram())) assert.equal(readFileSync(join(DOCS, name), 'utf8'), fresh, name)
  })

  it('draws the log with its keys, and what hangs on it', () => {
    const source = readFileSync(join(DOCS, 'er-diagram.mmd'), 'utf8')
    assert.match(source, /^ {2}events \{\n {4}integer partition PK\n {4}bigint position PK\n {4}binary\(16\) event_id UK\n/m)
    assert.match(source, /^ {2}heads \|\|--o\{ events : "partition"$/m)
    assert.match(source, /^ {2}events \|\|--o\{ dead_events : "partition, position"$/m)
    assert.doesNotMatch(source, /heads \|\|--o\{ dead_events/, 'what follows from two others is not drawn')
  })
})
