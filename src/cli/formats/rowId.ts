// Names a row by what it says and where it stands: UUIDv5 of the app over the row's bytes, a line feed and its number. The
// same file, or the same file grown, gives the same ids, so importing again adds only what is new.
import { uuidToBytes, uuidv5Of } from '../../kernel/ids.ts'

const NAMESPACE_BYTES = 16
/** A line feed and a number of up to 16 digits. */
const NUMBER_BYTES = 17

/** The id of each row of an app. A line feed stands between bytes and number so that no two pairs spell the same. */
export function rowIds(appId: string): (bytes: Uint8Array, number: number) => string {
  const namespace = uuidToBytes(appId)
  let message = Buffer.alloc(0)
  return (bytes, number) => {
    // One buffer and one call for each row: the steps of a hash object cost more than the hash.
    const needed = NAMESPACE_BYTES + bytes.length + NUMBER_BYTES
    if (message.length < needed) {
      message = Buffer.alloc(needed * 2)
      message.set(namespace)
    }
    message.set(bytes, NAMESPACE_BYTES)
    const end = NAMESPACE_BYTES + bytes.length
    const length = end + message.write(`\n${number}`, end, 'latin1')
    return uuidv5Of(message.subarray(0, length))
  }
}
