// Numbers as bytes: seven bits at a time, low ones first, so that small numbers take one byte. For whole numbers up to 2^53.

export class ByteWriter {
  private bytes = Buffer.allocUnsafe(4_096)
  private length = 0

  number(value: number): void {
    if (this.length + 8 > this.bytes.length) this.grow(8)
    const { bytes } = this
    let at = this.length
    while (value > 0x7fff_ffff) {
      bytes[at++] = (value % 128) | 128
      value = Math.floor(value / 128)
    }
    while (value >= 128) {
      bytes[at++] = (value & 127) | 128
      value >>>= 7
    }
    bytes[at++] = value
    this.length = at
  }

  append(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.bytes.length) this.grow(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** What was written since the last take, as a copy. */
  take(): Buffer {
    const taken = Buffer.from(this.bytes.subarray(0, this.length))
    this.length = 0
    return taken
  }

  private grow(by: number): void {
    const bytes = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.length + by))
    this.bytes.copy(bytes, 0, 0, this.length)
    this.bytes = bytes
  }
}

export class ByteReader {
  private at = 0

  constructor(private readonly bytes: Uint8Array) {}

  get done(): boolean {
    return this.at >= this.bytes.length
  }

  number(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.at++]
      if (byte === undefined) throw new RangeError('the bytes end within a number')
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }

  take(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) throw new RangeError('the bytes end too early')
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }
}
