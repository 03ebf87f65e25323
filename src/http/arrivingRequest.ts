// A request whose body can be taken as Node's parser finds it, past the stream: what came in one packet with its head is
// there in the same turn, where a stream takes three turns and a dozen objects to say so. Whatever nobody takes stays a stream.
import { IncomingMessage } from 'node:http'

export interface BodyTaker {
  /** False when nothing more is wanted: what follows is left to the stream, whose rest Node reads off the wire. */
  take(chunk: Buffer): boolean
  /** The body has arrived whole. */
  end(): void
  /** The connection ended before; also called when the body had arrived and the answer had not left. */
  fail(cause: Error | null): void
}

export class ArrivingRequest extends IncomingMessage {
  private taker: BodyTaker | undefined

  /** Hands the body over from its first byte on. False when some of it stands in the stream already: read that then. */
  handTo(taker: BodyTaker): boolean {
    if (this.complete || this.destroyed || this.readableLength > 0) return false
    this.taker = taker
    return true
  }

  /** Called by the parser with each piece, and with null at the end. */
  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    const { taker } = this
    if (taker === undefined) return super.push(chunk, encoding)
    if (chunk === null) taker.end()
    else if (!taker.take(chunk)) this.taker = undefined
    return true
  }

  /** Node has the stream of an answered request flow, to empty it; here is nothing in it. */
  override resume(): this {
    return this.taker === undefined ? super.resume() : this
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.taker?.fail(error)
    super._destroy(error, callback)
  }
}
