// The cables of a fault world in a process of their own: what goes over them at full load is too much to carry beside the
// load generator. Started by cables.ts, told what to do over IPC, gone when its parent is.
import { startTcpProxy, type TcpProxy } from '../../support/tcpProxy.ts'

export type CableRequest = { readonly id: number } & (
  | { readonly kind: 'open'; readonly serverUrl: string }
  | { readonly kind: 'cut' | 'freeze' | 'mend'; readonly url: string }
  | { readonly kind: 'slow'; readonly url: string; readonly delayMs: number }
)

export interface CableAnswer {
  readonly id: number
  /** Of the cable's near end, for `open`. */
  readonly url?: string
}

const proxies = new Map<string, TcpProxy>()

process.on('message', (request: CableRequest) => {
  void handle(request).then((answer) => process.send!(answer))
})
process.on('disconnect', () => process.exit())

async function handle(request: CableRequest): Promise<CableAnswer> {
  const { id } = request
  if (request.kind === 'open') {
    const proxy = await startTcpProxy(request.serverUrl)
    proxies.set(proxy.url, proxy)
    return { id, url: proxy.url }
  }
  const proxy = proxies.get(request.url)!
  if (request.kind === 'slow') proxy.slow(request.delayMs)
  else proxy[request.kind]()
  return { id }
}
