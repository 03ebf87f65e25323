// The latest events of a person. From one row to the next a fold carries twenty of them for each that it adds, so what they say
// stays the bytes that it is in the row, and is spelled out only for whoever asks.
import { bytesToUuid, uuidToBytes } from '../../kernel/ids.ts'
import type { ByteReader, ByteWriter } from '../storage/byteCodec.ts'

export interface Recent {
  /** When it happened, epoch milliseconds. */
  readonly at: number
  readonly position: number
  readonly id: string
  readonly event: string
  readonly url: string | null
}

export interface KeptRecent {
  readonly at: number
  readonly position: number
  /** Where its id, event and url are: from here to there of these bytes. */
  readonly bytes: Buffer
  readonly from: number
  readonly to: number
}

const ID_BYTES = 16

export function keptRecent({ at, position, id, event, url }: Recent): KeptRecent {
  // As JSON, which can say what UTF-8 cannot.
  const text = JSON.stringify([event, url])
  const to = ID_BYTES + Buffer.byteLength(text)
  const bytes = Buffer.allocUnsafe(to)
  bytes.set(uuidToBytes(id))
  bytes.write(text, ID_BYTES)
  return { at, position, bytes, from: 0, to }
}

export function spelledOut({ at, position, bytes, from, to }: KeptRecent): Recent {
  const [event, url] = JSON.parse(bytes.toString('utf8', from + ID_BYTES, to)) as [string, string | null]
  return { at, position, id: bytesToUuid(bytes, from), event, url }
}

/** Latest first. */
export function writeRecent(writer: ByteWriter, recent: readonly KeptRecent[]): void {
  writer.number(recent.length)
  let later = recent[0]?.at ?? 0
  if (recent.length > 0) writer.number(later)
  for (const { at, position, from, to } of recent) {
    writer.number(later - at)
    writer.number(position)
    writer.number(to - from)
    later = at
  }
  // Most of them came from one row, where they stood side by side.
  for (let first = 0, next = 1; first < recent.length; first = next++) {
    const { bytes, from } = recent[first]!
    while (next < recent.length && recent[next]!.bytes === bytes && recent[next]!.from === recent[next - 1]!.to) next++
    writer.append(bytes.subarray(from, recent[next - 1]!.to))
  }
}

/** Those that the reader comes to next, up to the end of `bytes`, which it reads and which are kept as long as they are. */
export function readRecent(reader: ByteReader, bytes: Buffer): KeptRecent[] {
  const count = reader.number()
  const heads: number[] = []
  let total = 0
  for (let entry = 0, at = count > 0 ? reader.number() : 0; entry < count; entry++) {
    at -= reader.number()
    const position = reader.number()
    const length = reader.number()
    heads.push(at, position, length)
    total += length
  }
  let from = bytes.length - total
  const recent: KeptRecent[] = []
  for (let head = 0; head < heads.length; head += 3) {
    const to = from + heads[head + 2]!
    recent.push({ at: heads[head]!, position: heads[head + 1]!, bytes, from, to })
    from = to
  }
  return recent
}
