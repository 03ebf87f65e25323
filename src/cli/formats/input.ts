// Opens what is to be imported: a file or standard input, unpacked when its first two bytes say gzip. The bytes read from
// the source are counted, because percent and ETA of a packed file can be known from nothing else.
import { createReadStream, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'

export interface Input {
  readonly chunks: AsyncIterable<Buffer>
  /** Size of the source; undefined for a pipe. */
  readonly totalBytes: number | undefined
  /** How much of it has been read. */
  readBytes(): number
}

const CHUNK_BYTES = 256 * 1024

/** `-` is standard input. Throws the system's error when the file cannot be opened. */
export function openInput(path: string, stdin: Readable = process.stdin): Input {
  const stat = path === '-' ? undefined : statSync(path)
  if (stat?.isDirectory() === true) throw new Error(`${path} is a directory`)
  const source = path === '-' ? stdin : createReadStream(path, { highWaterMark: CHUNK_BYTES })
  let bytes = 0
  const counted = async function* (): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of source as AsyncIterable<Buffer | string>) {
      const buffer = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      bytes += buffer.length
      yield buffer
    }
  }
  return { chunks: unpacked(counted()), totalBytes: stat?.isFile() === true ? stat.size : undefined, readBytes: () => bytes }
}

/** The bytes themselves, or what they unpack to. */
export async function* unpacked(source: AsyncGenerator<Buffer, void, undefined>): AsyncGenerator<Buffer, void, undefined> {
  let head = Buffer.alloc(0)
  while (head.length < 2) {
    const next = await source.next()
    if (next.done === true) break
    head = Buffer.concat([head, next.value])
  }
  const whole = async function* (): AsyncGenerator<Buffer, void, undefined> {
    if (head.length > 0) yield head
    yield* source
  }
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* whole()
    return
  }
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES })
  const packed = Readable.from(whole(), { objectMode: false, highWaterMark: CHUNK_BYTES })
  packed.once('error', (error) => gunzip.destroy(error))
  packed.pipe(gunzip)
  yield* gunzip as AsyncIterable<Buffer>
}
