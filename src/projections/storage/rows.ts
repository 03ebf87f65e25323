// What differs between drivers in the bytes they give back.
import { bytesToUuid } from '../../kernel/ids.ts'

/** One driver answers Buffers, another ArrayBuffers. */
export function bytesOf(value: Uint8Array | ArrayBuffer): Buffer {
  return value instanceof ArrayBuffer ? Buffer.from(value) : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

/** UUID text of a BINARY(16) column. */
export function textOfId(value: Uint8Array | ArrayBuffer): string {
  return bytesToUuid(bytesOf(value))
}
