// The server under the fuzz, in a process of its own: what ends it is seen, and its heap is nobody else's. Its parent asks by
// message for a new world and, after a full collection, for the size of the heap.
import { startFixture } from '../fixture.ts'
import { buildWorld } from './world.ts'

export type Question = 'world' | 'heap' | 'close'

const fixture = await startFixture({ LOG_LEVEL: 'error' })

process.on('message', (question: Question) => void answer(question))
// Whoever asked is gone.
process.on('disconnect', () => process.exit(0))
process.send!('ready')

async function answer(question: Question): Promise<void> {
  if (question === 'world') process.send!(await buildWorld(fixture))
  else if (question === 'heap') process.send!(collectedHeapBytes())
  else {
    await fixture.close()
    process.disconnect()
  }
}

function collectedHeapBytes(): number {
  const { gc } = globalThis as { gc?: () => void }
  // The second collects what finalizers of the first let go.
  gc!()
  gc!()
  return process.memoryUsage().heapUsed
}
