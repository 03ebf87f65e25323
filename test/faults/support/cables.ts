// Cables between the processes of a world and its stores, each to be cut, frozen or made slow on its own.
import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { CableAnswer, CableRequest } from './cableProcess.ts'
import type { Cable } from './fault.ts'

export interface OpenCable extends Cable {
  /** The server's URL with this cable in between. */
  readonly url: string
}

export interface Cables {
  open(serverUrl: string): Promise<OpenCable>
  close(): void
}

type Unnumbered<T> = T extends { readonly id: number } ? Omit<T, 'id'> : never

export function startCables(): Cables {
  const child = fork(join(import.meta.dirname, 'cableProcess.ts'), { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const waiting = new Map<number, (answer: CableAnswer) => void>()
  let requests = 0
  child.on('message', (answer: CableAnswer) => {
    waiting.get(answer.id)!(answer)
    waiting.delete(answer.id)
  })
  const ask = (request: Unnumbered<CableRequest>): Promise<CableAnswer> => {
    requests += 1
    const id = requests
    return new Promise((resolve, reject) => {
      waiting.set(id, resolve)
      child.send({ id, ...request }, (error) => error !== null && reject(error))
    })
  }
  return {
    async open(serverUrl) {
      const { url } = await ask({ kind: 'open', serverUrl })
      const act = async (request: Unnumbered<CableRequest>): Promise<void> => {
        await ask(request)
      }
      return {
        url: url!,
        cut: () => act({ kind: 'cut', url: url! }),
        freeze: () => act({ kind: 'freeze', url: url! }),
        slow: (delayMs) => act({ kind: 'slow', url: url!, delayMs }),
        mend: () => act({ kind: 'mend', url: url! }),
      }
    },
    close: () => child.disconnect(),
  }
}
