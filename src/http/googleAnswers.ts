// How Google is asked. The library that passport uses waits for ever, follows nothing and reads without end; this takes the
// place of its one function that goes to the network: bounded in time and size, to the address it was given and no other,
// and with nothing of what was said in an error, because errors go into the log.
import { LIMITS } from '../limits.ts'

/** As node-oauth calls it and wants to be called back. */
export type AskGoogle = (
  method: string,
  url: string,
  headers: Record<string, string> | undefined,
  body: string | undefined,
  accessToken: string | null,
  done: (error: unknown, text?: string) => void,
) => void

/** Google said no, or nothing that makes sense. `code` is the OAuth error where it named one. */
export class GoogleRefused extends Error {
  constructor(
    readonly status: number | undefined,
    readonly code: string | undefined,
    message: string,
  ) {
    super(message)
    this.name = 'GoogleRefused'
  }
}

export const askGoogle: AskGoogle = (method, url, headers, body, _accessToken, done) => {
  answerOf(url, { method, headers: { ...headers, accept: 'application/json' }, ...(body === undefined || body === '' ? {} : { body }) })
    .then((text) => done(null, text))
    .catch(done)
}

async function answerOf(url: string, init: RequestInit): Promise<string> {
  const { status, text } = await fetched(url, init)
  const json = parsed(text)
  if (status !== 200) throw new GoogleRefused(status, errorOf(json), 'refused')
  // The library takes what is no JSON for a form, and falls over null.
  if (json === undefined) throw new GoogleRefused(status, undefined, 'not a JSON object')
  return text
}

async function fetched(url: string, init: RequestInit): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(LIMITS.googleMs) })
    return { status: response.status, text: await textOf(response) }
  } catch (error) {
    if (error instanceof GoogleRefused) throw error
    // The message may hold a header or the address; what kind it is says enough.
    const { name, cause } = error as { name: string; cause?: { code?: unknown } }
    throw new GoogleRefused(undefined, undefined, `no answer: ${typeof cause?.code === 'string' ? cause.code : name}`)
  }
}

async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > LIMITS.googleAnswerBytes) throw new GoogleRefused(undefined, undefined, `more than ${LIMITS.googleAnswerBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** Only the words that RFC 6749 has for it: the rest may say who it is about. */
function errorOf(json: Record<string, unknown> | undefined): string | undefined {
  const code = json?.['error']
  return typeof code === 'string' && /^[a-z_]{1,40}$/.test(code) ? code : undefined
}
