// Where this server is reached, for addresses that it hands out. PUBLIC_URL decides where it is set: the Host header is the
// client's word, and a link made from it would lead wherever somebody in between wants.
import type { Request } from 'express'
import type { Config } from '../config.ts'

/** Without a slash at its end. */
export function publicUrlOf({ publicUrl }: Pick<Config, 'publicUrl'>, req: Request): string {
  return (publicUrl ?? ownUrl(req)).replace(/\/$/, '')
}

// What is no plain host and port is not repeated in what people paste or click.
function ownUrl(req: Request): string {
  const host = req.headers.host ?? ''
  return `${req.protocol === 'https' ? 'https' : 'http'}://${/^[\w.-]+(:\d+)?$|^\[[\da-f:]+\](:\d+)?$/i.test(host) ? host : 'localhost:1055'}`
}
