// Lines, rows and mapping: what every format makes of well-formed and of hostile input, and by which number it is reported.
import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { Readable } from 'node:stream'
import { csvReader } from '../../../src/cli/formats/csv.ts'
import { openInput } from '../../../src/cli/formats/input.ts'
import { jsonlReader } from '../../../src/cli/formats/jsonl.ts'
import { type Line, readLines } from '../../../src/cli/formats/lines.ts'
import { createMapping, parsePairs } from '../../../src/cli/formats/mapping.ts'
import { rowIds } from '../../../src/cli/formats/rowId.ts'
import type { RowReader } from '../../../src/cli/formats/row.ts'
import { timeOf } from '../../../src/cli/formats/times.ts'
import { tsvReader } from '../../../src/cli/formats/tsv.ts'
import { uuidv5 } from '../../../src/kernel/ids.ts'

interface Read {
  rows: [number, Record<string, unknown>][]
  bad: [number, string][]
  bytes: string[]
}

async function read(reader: RowReader, text: string | Buffer, chunkBytes = 7, maxBytes = 1_000): Promise<Read> {
  const result: Read = { rows: [], bad: [], bytes: [] }
  const sink = {
    row: (number: number, bytes: Uint8Array, columns: Readonly<Record<string, unknown>>) => {
      result.rows.push([number, { ...columns }])
      result.bytes.push(Buffer.from(bytes).toString())
    },
    exported: () => assert.fail('no export line here'),
    bad: (number: number, reason: string) => void result.bad.push([number, reason]),
  }
  for await (const lines of readLines(chunksOf(Buffer.from(text), chunkBytes), maxBytes)) reader.read(lines, sink)
  reader.end(sink)
  return result
}

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size))
}

async function lines(text: string | Buffer, chunkBytes: number, maxBytes = 100): Promise<[number, string | undefined][]> {
  const all: Line[] = []
  for await (const some of readLines(chunksOf(Buffer.from(text), chunkBytes), maxBytes)) all.push(...some)
  return all.map(({ number, bytes }) => [number, bytes?.toString()])
}

describe('lines', () => {
  for (const size of [1, 2, 3, 5, 64]) {
    it(`are the same in chunks of ${size}`, async () => {
      assert.deepEqual(await lines('\ufeffa\r\n\nbä\r\r\nc', size), [[1, 'a'], [2, ''], [3, 'bä\r'], [4, 'c']])
    })
    it(`that are too long cost only themselves, in chunks of ${size}`, async () => {
      const text = `a\n${'x'.repeat(500)}\nb\n${'y'.repeat(100)}\r\n${'z'.repeat(101)}\nc`
      assert.deepEqual(await lines(text, size), [[1, 'a'], [2, undefined], [3, 'b'], [4, 'y'.repeat(100)], [5, undefined], [6, 'c']])
    })
  }
  it('of nothing are none', async () => assert.deepEqual(await lines('', 10), []))
  it('keep their memory bounded while an endless one goes by', async () => {
    const endless = async function* (): AsyncGenerator<Buffer> {
      for (let i = 0; i < 400; i++) yield await Promise.resolve(Buffer.alloc(1_000_000, 120))
      yield Buffer.from('\nafter')
    }
    const before = process.memoryUsage().arrayBuffers
    const all: Line[] = []
    for await (const some of readLines(endless(), 1_000)) all.push(...some)
    assert.deepEqual(all.map(({ bytes }) => bytes?.toString()), [undefined, 'after'])
    assert.ok(process.memoryUsage().arrayBuffers - before < 200_000_000)
  })
})

describe('input', () => {
  const text = 'one\ntwo\n'
  const readAll = async (bytes: Buffer, size: number): Promise<string> => {
    const parts: Buffer[] = []
    for await (const chunk of openInput('-', Readable.from(chunksOf(bytes, size))).chunks) parts.push(chunk)
    return Buffer.concat(parts).toString()
  }
  it('is unpacked by its first bytes, even one at a time', async () => {
    assert.equal(await readAll(gzipSync(text), 1), text)
    assert.equal(await readAll(gzipSync(text), 1_000), text)
  })
  it('may be several packed parts after each other', async () => assert.equal(await readAll(Buffer.concat([gzipSync(text), gzipSync(text)]), 9), text + text))
  it('is taken as it is otherwise', async () => {
    assert.equal(await readAll(Buffer.from(text), 1), text)
    assert.equal(await readAll(Buffer.from([0x1f]), 1), '\x1f')
    assert.equal(await readAll(Buffer.alloc(0), 1), '')
  })
  it('fails when it is cut short', async () => {
    const packed = gzipSync('x'.repeat(10_000))
    await assert.rejects(readAll(packed.subarray(0, packed.length - 10), 1_000), /unexpected end of file/)
  })
})

describe('JSON lines', () => {
  it('are objects or reported', async () => {
    const { rows, bad } = await read(jsonlReader(), '{"a":1}\n\n[1]\n"x"\nnull\n{"b":\n{"__proto__":{"x":1}}\n{"a":1}{"a":2}\n')
    assert.deepEqual(rows.map(([number]) => number), [1, 7])
    assert.deepEqual(bad.map(([number]) => number), [3, 4, 5, 6, 8])
    assert.match(bad[3]![1], /is not JSON/)
    assert.match(bad[0]![1], /not an object/)
  })
})

describe('TSV', () => {
  it('knows no quotes', async () => {
    const { rows, bad } = await read(tsvReader(), 'a\tb\r\n1\t"x\r\n\t2\r\n"p\tq"\tr\r\n')
    assert.deepEqual(rows, [[2, { a: '1', b: '"x' }], [3, { b: '2' }]])
    assert.deepEqual(bad, [[4, 'has 3 columns where the header has 2']])
  })
  it('refuses a header that cannot be right', async () => {
    await assert.rejects(read(tsvReader(), 'a\ta\n'), /line 1: the header names "a" twice/)
    await assert.rejects(read(tsvReader(), 'a\t\n'), /column 2 of the header has no name/)
  })
})

describe('CSV', () => {
  const bounds = { maxLines: 5, maxBytes: 1_000 }
  const csv = (text: string, delimiter = ','): Promise<Read> => read(csvReader(delimiter, bounds), text)

  it('has quotes, doubled quotes, delimiters and line ends in fields', async () => {
    const { rows, bytes } = await csv('\ufeffa,b\r\n1,"x ""q"", y"\r\n2,"multi\r\nline"\r\n"3",""\r\n')
    assert.deepEqual(rows, [[2, { a: '1', b: 'x "q", y' }], [3, { a: '2', b: 'multi\r\nline' }], [5, { a: '3' }]])
    assert.equal(bytes[1], '2,"multi\r\nline"')
  })
  it('takes other delimiters', async () => assert.deepEqual((await csv('a\tb\n"1\t2"\t3\n', '\t')).rows, [[2, { a: '1\t2', b: '3' }]]))
  it('loses one line to a stray quote', async () => {
    const { rows, bad } = await csv('a,b\n1,"x" y\n2,z\n3,un"q\n4,ok\n')
    assert.deepEqual(rows, [[3, { a: '2', b: 'z' }], [5, { a: '4', b: 'ok' }]])
    assert.deepEqual(bad, [[2, 'goes on after the closing quote of column 2'], [4, 'has a quote inside the unquoted column 2']])
  })
  it('loses one line to a quote that never ends', async () => {
    const { rows, bad } = await csv('a,b\n1,"open\n2,z\n3,w\n4,ok')
    assert.deepEqual(rows.map(([number]) => number), [3, 4, 5])
    assert.deepEqual(bad, [[2, 'has an unterminated quote']])
  })
  it('loses one line to a quote that is open for too many lines', async () => {
    const { rows, bad } = await csv(`a,b\n1,"open\n${'2,z\n'.repeat(10)}3,"w"\n`)
    assert.deepEqual(bad, [[2, 'has an unterminated quote']])
    assert.deepEqual(rows.map(([number]) => number), [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
  })
  it('finds the good line after an open quote that a later quote ends wrongly', async () => {
    const { rows, bad } = await csv('a,b\n1,"open\n2,"closed"\n3,ok\n')
    assert.deepEqual(bad, [[2, 'goes on after the closing quote of column 2']])
    assert.deepEqual(rows.map(([number]) => number), [3, 4])
  })
  it('reports rows of another width and lines that are too long', async () => {
    const { rows, bad } = await csv(`a,b\n1\n1,2,3\n${'x'.repeat(1_001)}\n1,2\n`)
    assert.deepEqual(rows.map(([number]) => number), [5])
    assert.deepEqual(bad.map(([number]) => number), [2, 3, 4])
  })
  it('stays linear when every line opens a quote', async () => {
    const startedAt = performance.now()
    const { bad } = await read(csvReader(',', { maxLines: 1_000, maxBytes: 1_000_000 }), `a,b\n${'1,"x\n'.repeat(20_000)}`, 65_536)
    assert.ok(bad.length > 0)
    assert.ok(performance.now() - startedAt < 3_000)
  })
  it('keeps a column called __proto__ a column', async () => {
    const { rows } = await csv('__proto__,b\n1,2\n')
    assert.equal(Object.getPrototypeOf(rows[0]![1]), Object.prototype)
  })
})

describe('mapping', () => {
  const map = (pairs: string, more: Partial<Parameters<typeof createMapping>[0]> = {}): ReturnType<typeof createMapping> =>
    createMapping({ map: parsePairs('--map', [pairs]), set: [], onlyMapped: false, ...more })
  const at = '2015-09-12T00:46:58Z'

  it('takes fields by their names, mapped columns, dotted paths, and the rest as metadata', () => {
    const event = map('userId=user.id,metadata.page=page')({ event: 'edit', timestamp: at, user: { id: 7, n: 1 }, page: 'Ü', flag: false, none: null, metadata: { k: 1 } })
    assert.deepEqual(event, { event: 'edit', timestamp: at, userId: '7', metadata: { user: { id: 7, n: 1 }, page: 'Ü', flag: false, k: 1 } })
  })
  it('leaves the rest out where only what is mapped counts', () => {
    assert.deepEqual(map('userId=u', { onlyMapped: true })({ event: 'x', timestamp: at, u: 'a', z: 1 }), { event: 'x', timestamp: at, userId: 'a' })
  })
  it('lets --set win', () => {
    assert.deepEqual(map('', { set: [['event', 'edit'], ['metadata.s', 'v']] })({ event: 'x', timestamp: at }), { event: 'edit', timestamp: at, metadata: { s: 'v' } })
  })
  it('prefers a column of that very name to a path', () => {
    assert.deepEqual(map('userId=a.b')({ event: 'x', timestamp: at, 'a.b': 'flat', a: { b: 'deep' } }), { event: 'x', timestamp: at, userId: 'flat', metadata: { a: { b: 'deep' } } })
  })
  it('takes empty texts of fields for absent', () => assert.deepEqual(map('')({ event: 'x', timestamp: at, userId: '' }), { event: 'x', timestamp: at }))
  it('turns texts into what the field is', () => {
    assert.deepEqual(map('')({ event: 'x', timestamp: at, interactive: 'false', value: '12.5' }), { event: 'x', timestamp: at, interactive: false, value: 12.5 })
  })
  for (const [what, row, reason] of [
    ['no event', { timestamp: at }, /no event name/],
    ['no time', { event: 'x' }, /no time/],
    ['an object for a text', { event: 'x', timestamp: at, userId: { a: 1 } }, /userId cannot be \{"a":1\}/],
    ['a text for a flag', { event: 'x', timestamp: at, interactive: 'perhaps' }, /interactive cannot be "perhaps"/],
    ['a text for a number', { event: 'x', timestamp: at, value: 'many' }, /value cannot be "many"/],
    ['a time beyond all dates', { event: 'x', timestamp: 9e15 }, /timestamp cannot be/],
  ] as const) {
    it(`reports ${what}`, () => {
      const result = map('')(row)
      assert.ok(typeof result === 'string')
      assert.match(result, reason)
    })
  }
  it('says what is wrong with an option', () => {
    assert.throws(() => parsePairs('--map', ['userid=x']), /--map: "userid" is no field/)
    assert.throws(() => parsePairs('--map', ['userId']), /not target=value/)
    assert.throws(() => parsePairs('--map', ['metadata.=x']), /no field/)
    assert.deepEqual(parsePairs('--set', ['metadata.a=1\\,2,event=x=y']), [['metadata.a', '1,2'], ['event', 'x=y']])
  })
})

describe('times', () => {
  for (const [value, expected] of [
    [1101258284, '2004-11-24T01:04:44.000Z'],
    ['1101258284', '2004-11-24T01:04:44.000Z'],
    ['1101258284.25', '2004-11-24T01:04:44.250Z'],
    [1101258284123, '2004-11-24T01:04:44.123Z'],
    ['1101258284123', '2004-11-24T01:04:44.123Z'],
    [0, '1970-01-01T00:00:00.000Z'],
    ['2015-09-12 00:46:58', '2015-09-12T00:46:58'],
    ['2015-09-12T00:46:58.771Z', '2015-09-12T00:46:58.771Z'],
    ['yesterday', 'yesterday'],
    [Number.NaN, undefined],
    [8_640_000_000_000_001, undefined],
  ] as const) {
    it(`${String(value)} is ${String(expected)}`, () => assert.equal(timeOf(value), expected))
  }
})

describe('row ids', () => {
  const app = '0197a3c4-0000-7000-8000-000000000001'
  it('are UUIDv5 of the app, the bytes and the number', () => {
    const row = Buffer.from('1\tä')
    assert.equal(rowIds(app)(row, 12), uuidv5(app, Buffer.concat([row, Buffer.from('\n12')])))
  })
  it('tell equal rows apart by their numbers', () => {
    const id = rowIds(app)
    assert.notEqual(id(Buffer.from('x'), 1), id(Buffer.from('x'), 2))
    assert.notEqual(id(Buffer.from('x1'), 2), id(Buffer.from('x'), 12))
  })
})
