// Equal questions are computed once; the work stops when the last who waits has gone, and not before.
import assert from 'node:assert/strict'
import { Flights } from '../../../src/queries/flights.ts'

describe('flights', () => {
  const begin = () => {
    const flights = new Flights<string>()
    const started: { signal: AbortSignal; land: (answer: string) => void }[] = []
    const join = (signal?: AbortSignal): Promise<string> => flights.join('key', (stop) => new Promise((land) => started.push({ signal: stop, land })), signal)
    return { started, join }
  }

  it('are shared by all who ask the same', async () => {
    const { started, join } = begin()
    const all = Promise.all([join(), join(new AbortController().signal)])
    started[0]!.land('x')
    assert.deepEqual([await all, started.length], [['x', 'x'], 1])
    const next = join()
    started[1]!.land('y')
    assert.equal(await next, 'y')
  })

  it('stop when the last has left; who comes then starts anew', async () => {
    const { started, join } = begin()
    const [one, two] = [new AbortController(), new AbortController()]
    const [first, second] = [join(one.signal), join(two.signal)]
    one.abort(new Error('gone'))
    await assert.rejects(first, /gone/)
    assert.equal(started[0]!.signal.aborted, false)
    two.abort(new Error('gone too'))
    await assert.rejects(second, /gone too/)
    assert.equal(started[0]!.signal.aborted, true)
    const third = join()
    started[1]!.land('z')
    assert.equal(await third, 'z')
  })

  it('go on for whoever cannot leave', async () => {
    const { started, join } = begin()
    const controller = new AbortController()
    const stays = join()
    const leaves = join(controller.signal)
    controller.abort(new Error('gone'))
    await assert.rejects(leaves, /gone/)
    assert.equal(started[0]!.signal.aborted, false)
    started[0]!.land('x')
    assert.equal(await stays, 'x')
  })
})
