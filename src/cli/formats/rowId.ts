// Names a row by what it says and where it stands: UUIDv5 of the app over the row's bytes, a line feed and its number. The
// same file, or the same file grown, gives the same ids, so importing again adds only what is new.
import { createHash } from 'node:crypto'
import { bytesToUuid, uuidToBytes } from '../../kernel/ids.ts'

/** The id of each row of an app. A line feed stands between bytes and number so that no two pairs spell the same. */
export function rowIds(appId: string): (bytes: Uint8Array, number: number) => string {
  const namespace = createHash('sha1').update(uuidToBytes(appId))
  return (bytes, number) => {
    const digest = namespace.copy().update(bytes).update(`\n${number}`).digest()
    digest[6] = (digest[6]! & 0x0f) | 0x50
    digest[8] = (digest[8]! & 0x3f) | 0x80
    return bytesToUuid(digest)
  }
}
