// Reads a request's body to JSON within bounds: bytes are counted as they arrive and again while inflating, so a gzip bomb
// stops at the limit; nesting is bounded before anything walks the value.
import { isAscii, isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, inflateRaw, type InputType, type ZlibOptions } from 'node:zlib'
import { Problem } from '../errors.ts'
import { Places } from '../kernel/places.ts'
import { LIMITS } from '../limits.ts'
import { ArrivingRequest, type BodyTaker } from './arrivingRequest.ts'

type Inflate = (bytes: InputType, options: ZlibOptions) => Promise<Buffer>

const gunzipBytes: Inflate = promisify<InputType, ZlibOptions, Buffer>(gunzip)
const INFLATERS: Readonly<Record<string, Inflate>> = {
  gzip: gunzipBytes,
  'x-gzip': gunzipBytes,
  // The name means the zlib format, yet many clients send the bare stream.
  deflate: (bytes, options) => (hasZlibHeader(bytes as Buffer) ? inflateZlib : inflateBare)(bytes, options),
  br: promisify<InputType, ZlibOptions, Buffer>((bytes, { maxOutputLength }, done) =>
    brotliDecompress(bytes, maxOutputLength === undefined ? {} : { maxOutputLength }, done),
  ),
}
const inflateZlib: Inflate = promisify<InputType, ZlibOptions, Buffer>(inflate)
const inflateBare: Inflate = promisify<InputType, ZlibOptions, Buffer>(inflateRaw)

export interface Bounds {
  /** After decompression. */
  readonly bytes: number
  readonly depth: number
}

/** The parsed body. Throws Problem `payload_too_large`, `invalid_encoding`, `invalid_json`, `invalid_body`. */
export function readJson(req: IncomingMessage, bounds: Bounds): Promise<unknown> {
  // One promise for the plain case: each further one is paid for by every event that comes in.
  return new Promise((resolve, reject) => {
    if (Number(req.headers['content-length']) > bounds.bytes) {
      reject(tooLarge(bounds.bytes))
      return
    }
    const reading = new Reading(req, bounds, resolve, reject)
    if (req instanceof ArrivingRequest && req.handTo(reading)) return
    req.on('data', (chunk: Buffer) => {
      if (!reading.take(chunk)) req.pause()
    })
    req.on('end', () => reading.end())
    req.on('error', (cause) => reading.fail(cause))
  })
}

/** Of bodies that are arriving or wait to be unpacked, over all sockets of this process. */
let bytesUnderWay = 0

class Reading implements BodyTaker {
  private first: Buffer | undefined
  private chunks: Buffer[] | undefined
  private length = 0

  constructor(
    private readonly req: IncomingMessage,
    private readonly bounds: Bounds,
    private readonly resolve: (body: unknown) => void,
    private readonly reject: (error: unknown) => void,
  ) {}

  take(chunk: Buffer): boolean {
    this.length += chunk.length
    bytesUnderWay += chunk.length
    if (this.length > this.bounds.bytes) return this.refuse(tooLarge(this.bounds.bytes))
    // Ten thousand sockets with a megabyte each would be ten gigabytes; what is small gets through beside them.
    if (bytesUnderWay > LIMITS.bodiesBytes && this.length > LIMITS.metadataBytes) return this.refuse(new Problem('overloaded', undefined, { retryAfterSeconds: 1 }))
    if (this.first === undefined) this.first = chunk
    else (this.chunks ??= [this.first]).push(chunk)
    return true
  }

  private refuse(problem: Problem): false {
    this.forget()
    this.reject(problem)
    return false
  }

  /** What is kept of the body is kept no longer. */
  private forget(): void {
    bytesUnderWay -= this.length
    this.length = 0
    this.first = undefined
    this.chunks = undefined
  }

  end(): void {
    const bytes = this.chunks === undefined ? (this.first ?? EMPTY) : Buffer.concat(this.chunks, this.length)
    if (this.req.headers['content-encoding'] !== undefined || isGzip(bytes)) {
      this.resolve(readEncoded(this.req, bytes, this.bounds).finally(() => this.forget()))
      return
    }
    this.forget()
    try {
      this.resolve(parseJson(bytes, this.bounds.depth))
    } catch (error) {
      this.reject(error)
    }
  }

  fail(cause: unknown): void {
    this.forget()
    this.reject(new Problem('bad_request', 'The body did not arrive whole', { cause }))
  }
}

async function readEncoded(req: IncomingMessage, bytes: Buffer, bounds: Bounds): Promise<unknown> {
  return parseJson(await decoded(bytes, req.headers['content-encoding'], bounds.bytes), bounds.depth)
}

function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

const EMPTY = Buffer.alloc(0)

function tooLarge(maxBytes: number): Problem {
  return new Problem('payload_too_large', `The body may have ${maxBytes} bytes at most, after decompression`)
}

// A kilobyte can unpack to a megabyte, and what is unpacked side by side is in memory at once.
const unpacking = new Places(LIMITS.bodiesUnpacked)

async function decoded(bytes: Buffer, header: string | undefined, maxBytes: number): Promise<Buffer> {
  const encoding = (header ?? 'gzip').trim().toLowerCase()
  if (encoding === 'identity' || encoding === '') return bytes
  const unpack = Object.hasOwn(INFLATERS, encoding) ? INFLATERS[encoding] : undefined
  if (unpack === undefined) throw new Problem('invalid_encoding', 'The content encoding may be gzip, deflate or br')
  try {
    return await unpacking.during(() => unpack(bytes, { maxOutputLength: maxBytes }))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes)
    throw new Problem('invalid_encoding', `The body is not whole or not valid ${encoding}`, { cause })
  }
}

function hasZlibHeader(bytes: Buffer): boolean {
  return bytes.length > 1 && (bytes[0]! & 0x0f) === 8 && bytes.readUInt16BE(0) % 31 === 0
}

/** Parses UTF-8 JSON of at most so many levels. */
export function parseJson(bytes: Buffer, maxDepth: number): unknown {
  let value: unknown
  const text = textOf(bytes)
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new Problem('invalid_json', wordsOf(cause, bytes.length), { cause })
  }
  if (typeof value === 'object' && value !== null) checkNesting(value, maxDepth, maxDepth)
  return value
}

function textOf(bytes: Buffer): string {
  // Most bodies are ASCII, which needs no decoding.
  if (isAscii(bytes)) return bytes.toString('latin1')
  if (!isUtf8(bytes)) throw new Problem('invalid_json', 'The body is not UTF-8')
  // A byte order mark is no JSON, yet some clients write one.
  return bytes.toString('utf8', bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0)
}

// V8's message quotes the input; only the place in it is told.
function wordsOf(cause: unknown, length: number): string {
  if (length === 0) return 'The body is empty'
  const place = cause instanceof Error ? /at position \d+/.exec(cause.message)?.[0] : undefined
  return place === undefined ? 'The body is not valid JSON' : `The body is not valid JSON ${place}`
}

function checkNesting(value: object, left: number, maxDepth: number): void {
  if (left === 0) throw new Problem('invalid_body', `The body is nested deeper than ${maxDepth} levels`)
  for (const name in value) {
    const inner = (value as Record<string, unknown>)[name]
    if (typeof inner === 'object' && inner !== null) checkNesting(inner, left - 1, maxDepth)
  }
}
