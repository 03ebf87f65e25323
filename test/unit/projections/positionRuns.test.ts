import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ByteReader, ByteWriter } from '../../../src/projections/storage/byteCodec.ts'
import { PositionRuns } from '../../../src/projections/sets/positionRuns.ts'

function bytesOf(runs: PositionRuns): Buffer {
  const writer = new ByteWriter()
  runs.write(writer)
  return writer.take()
}

function runsOf(positions: Iterable<number>): PositionRuns {
  const runs = new PositionRuns()
  for (const position of positions) runs.add(position)
  return runs
}

describe('positionRuns', () => {
  it('are what a plain set of the same positions is, whatever was taken out, and have its bytes', () => {
    const steps = fc.array(fc.record({ gap: fc.constantFrom(1, 1, 1, 2, 5), out: fc.option(fc.nat(60), { nil: undefined }) }), { maxLength: 60 })
    fc.assert(
      fc.property(steps, (made) => {
        const [runs, plain] = [new PositionRuns(), new Set<number>()]
        let position = 0
        for (const { gap, out } of made) {
          position += gap
          runs.add(position)
          plain.add(position)
          if (out !== undefined) assert.equal(runs.delete(out), plain.delete(out))
        }
        assert.deepEqual([...runs.pieces()].flat(), [...plain])
        assert.equal(runs.size, plain.size)
        assert.deepEqual(bytesOf(runs), bytesOf(runsOf(plain)))
        assert.deepEqual([...PositionRuns.read(new ByteReader(bytesOf(runs))).runs()], [...runs.runs()])
      }),
    )
  })
})
