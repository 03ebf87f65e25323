// Values as literals of MySQL's text protocol, which takes a thousand rows in one statement far faster than parameters do.
// Right for sessions with utf8mb4 and without NO_BACKSLASH_ESCAPES or ANSI_QUOTES, which ours set for themselves.

/** A string literal. Within single quotes only the quote and the backslash have a meaning. */
export function text(value: string): string {
  // Three searches for one character are faster than a class of characters.
  const plain = !value.includes("'") && !value.includes('\\') && !value.includes('\0')
  return plain ? `'${value}'` : `'${value.replace(/['\\\0]/g, escapeCharacter)}'`
}

export function textOrNull(value: string | null | undefined): string {
  return value == null ? 'NULL' : text(value)
}

export function bytes(value: Uint8Array): string {
  const buffer = value instanceof Buffer ? value : Buffer.from(value.buffer, value.byteOffset, value.length)
  return `x'${buffer.toString('hex')}'`
}

/** The 16 bytes of a UUID that was checked to be one. */
export function uuid(value: string): string {
  return `x'${value.slice(0, 8)}${value.slice(9, 13)}${value.slice(14, 18)}${value.slice(19, 23)}${value.slice(24)}'`
}

/** A number. Throws on what is none: SQL is built of nothing unchecked. */
export function integer(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a safe integer`)
  return String(value)
}

export function integerOrNull(value: number | null): string {
  return value === null ? 'NULL' : integer(value)
}

/** INSERT statements over these tuples, each of at most maxBytes, or of one tuple. */
export function inserts(into: string, tuples: readonly string[], maxBytes: number, suffix = ''): string[] {
  const statements: string[] = []
  let batch: string[] = []
  let size = 0
  const end = (): void => {
    if (batch.length > 0) statements.push(`${into} VALUES ${batch.join(',')}${suffix}`)
    batch = []
    size = 0
  }
  for (const tuple of tuples) {
    // A UTF-16 unit takes at most three bytes; measuring only near the bound saves a pass over every payload.
    const atMost = tuple.length * 3
    const tupleBytes = size + atMost > maxBytes ? Buffer.byteLength(tuple) : atMost
    if (size + tupleBytes > maxBytes) end()
    batch.push(tuple)
    size += tupleBytes
  }
  end()
  return statements
}

function escapeCharacter(character: string): string {
  return character === '\0' ? '\\0' : `\\${character}`
}
