// A thread that verifies one range of the log after another, on a connection of its own.
import { parentPort, workerData } from 'node:worker_threads'
import { openSealedRows } from './sealedRows.ts'
import { type ChainRange, verifyRange } from './verifyRange.ts'
import type { RangeTold, ThreadSettings } from './verifyChain.ts'

const port = parentPort!
const rows = openSealedRows((workerData as ThreadSettings).url)
const tell = (told: RangeTold): void => port.postMessage(told)

port.on('message', (range: ChainRange | undefined) => void (range === undefined ? end() : verify(range)))

// An error ends the thread, and whoever started it hears of it.
async function verify(range: ChainRange): Promise<void> {
  let before = range.after
  const onPage = (position: number): void => {
    tell({ hashed: position - before })
    before = position
  }
  tell({ report: await verifyRange(await rows, range, onPage) })
}

async function end(): Promise<void> {
  await (await rows).close()
  port.close()
}
