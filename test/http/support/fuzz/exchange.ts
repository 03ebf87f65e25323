// One generated request over a connection that is kept, as thousands in a row need it, answered within a bound.
import { Agent, request as httpRequest } from 'node:http'
import type { Told } from '../fixture.ts'
import type { Sent } from './requests.ts'

export const agent = new Agent({ keepAlive: true, maxSockets: 16 })

/** Rejects after `timeoutMs`, and when the connection ends without an answer. Streams of events are left at their first line. */
export function exchange(url: string, sent: Sent, timeoutMs: number): Promise<Told> {
  return once(url, sent, timeoutMs).catch((error: unknown) => {
    // The server closed a kept connection just as it was used again, as it may.
    if (error instanceof Stale) return exchange(url, sent, timeoutMs)
    throw error
  })
}

class Stale extends Error {}

function once(url: string, { method, path, headers, body }: Sent, timeoutMs: number): Promise<Told> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    // Copied, because Node takes lists that may be changed only.
    const sent = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]))
    const length = body === undefined || 'transfer-encoding' in sent ? {} : { 'content-length': body.length }
    const req = httpRequest({ hostname, port, agent, path, method, headers: { ...sent, ...length } })
    const limit = setTimeout(() => {
      req.destroy()
      reject(new Error(`no answer within ${timeoutMs} ms`))
    }, timeoutMs)
    const settled = <T>(settle: (value: T) => void) => (value: T): void => {
      clearTimeout(limit)
      settle(value)
    }
    let answered = false
    req.on('response', (res) => {
      answered = true
      const chunks: Buffer[] = []
      const end = settled(() => {
        const text = Buffer.concat(chunks).toString()
        const isJson = /^application\/(problem\+)?json(;|$)/.test(res.headers['content-type'] ?? '') && text !== ''
        try {
          resolve({ status: res.statusCode!, headers: res.headers, text, body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {} })
        } catch (cause) {
          reject(new Error(`what says to be JSON is none: ${text.slice(0, 1_000)}`, { cause }))
        }
      })
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('error', settled(reject))
      res.on('end', () => end(undefined))
      if (res.headers['content-type']?.startsWith('text/event-stream') === true) {
        res.removeAllListeners('error').on('error', () => undefined)
        end(undefined)
        req.destroy()
      }
    })
    // A server that refuses a body may close before all of it is sent.
    req.on('error', (error) => (answered ? undefined : settled(reject)(req.reusedSocket ? new Stale('', { cause: error }) : error)))
    req.end(body)
  })
}
