// One JSON object a line on standard error, for machines; standard output stays free for what a command answers. Values
// of fields whose names promise a secret are never written.

export type Level = 'debug' | 'info' | 'warn' | 'error'
export type Fields = Record<string, unknown>

export interface Logger {
  debug(message: string, fields?: Fields): void
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
  /** A logger that adds these fields to every line. */
  with(fields: Fields): Logger
}

const ORDER: Record<Level, number> = { debug: 10, info: 20, warn: 30, error: 40 }
const SECRET = /secret|token|password|authorization|cookie|writekey|ownercode|salt/i

export function createLogger(level: Level | 'silent', fields: Fields = {}): Logger {
  const least = level === 'silent' ? Number.POSITIVE_INFINITY : ORDER[level]
  const write = (at: Level, message: string, more: Fields = {}): void => {
    if (ORDER[at] < least) return
    process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), level: at, message, ...fields, ...more }, redact)}\n`)
  }
  return {
    debug: (message, more) => write('debug', message, more),
    info: (message, more) => write('info', message, more),
    warn: (message, more) => write('warn', message, more),
    error: (message, more) => write('error', message, more),
    with: (more) => createLogger(level, { ...fields, ...more }),
  }
}

export const silentLogger: Logger = createLogger('silent')

function redact(key: string, value: unknown): unknown {
  if (SECRET.test(key)) return '[redacted]'
  if (value instanceof Error) {
    const code = (value as { code?: unknown }).code
    return { name: value.name, message: value.message, ...(code === undefined ? {} : { code }), stack: value.stack }
  }
  return value
}
