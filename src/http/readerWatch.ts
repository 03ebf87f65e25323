// Looks once a second whether whoever reads a stream still may, and keeps proxies from closing what is silent. A process that
// cannot be sure of what it knows of rights lets nobody read on: a sign-out elsewhere may not have reached it.
import type { Keyring } from '../commands/keyring.ts'
import type { Logger } from '../kernel/logger.ts'

const LOOK_MS = 1_000
const LOOKS_PER_BEAT = 15

export interface ReaderWatch {
  readonly keyring: Pick<Keyring, 'trusted'>
  readonly logger: Logger
  allowed(): boolean
  /** Called each second from when it may no longer be read; `unsure`: it may be that it still could. */
  lost(why: 'refused' | 'unsure'): void
  beat(): void
}

/** Answers the way to stop. */
export function watchReader(watch: ReaderWatch): () => void {
  let looks = 0
  let stopped = false
  const look = async (): Promise<void> => {
    const sure = await watch.keyring.trusted()
    if (stopped) return
    if (!sure || !watch.allowed()) watch.lost(sure ? 'refused' : 'unsure')
    else if (++looks % LOOKS_PER_BEAT === 0) watch.beat()
  }
  const timer = setInterval(() => {
    look().catch((error: unknown) => watch.logger.error('a stream could not be looked after', { error }))
  }, LOOK_MS)
  return () => {
    stopped = true
    clearInterval(timer)
  }
}
