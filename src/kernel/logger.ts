// One JSON object a line on standard error, for machines; standard output stays free for what a command answers. No secret
// is ever written: not in fields whose names promise one, not in addresses, headers and tokens that stand in a text (an
// error's, say, which somebody else worded), and not what the configuration says is secret, wherever it turns up.

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

export interface LoggerOptions {
  /** Values that are secret whatever they look like. */
  readonly secrets?: readonly string[]
  readonly write?: (line: string) => void
}

const ORDER: Record<Level, number> = { debug: 10, info: 20, warn: 30, error: 40 }
const SECRET_NAME = /secret|token|password|passwd|authorization|cookie|credential|api[-_]?key|writekey|ownercode|salt|verifier/i
const REDACTED = '[redacted]'

/** What a text may hold, and what is left of it. */
const SECRET_TEXTS: readonly (readonly [RegExp, string])[] = [
  // mysql://user:password@host, redis://:password@host
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s/?#:@"']*):[^\s/?#"']*@/gi, `$1:${REDACTED}@`],
  [/\b(Bearer|Basic)\s+[^\s"',;]+/gi, `$1 ${REDACTED}`],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, REDACTED],
  // Write keys, invitations and refresh tokens of ours.
  [/\br[kir]_[\w-]{16,}/g, REDACTED],
  [/([?&](?:key|code|state|token|access_token|refresh_token|id_token|client_secret|code_verifier|invitation)=)[^&\s"']+/gi, `$1${REDACTED}`],
  [/\b((?:set-)?cookie:\s*)[^\r\n"]+/gi, `$1${REDACTED}`],
]

export function createLogger(level: Level | 'silent', fields: Fields = {}, options: LoggerOptions = {}): Logger {
  const least = level === 'silent' ? Number.POSITIVE_INFINITY : ORDER[level]
  const { secrets = [], write = (line: string) => void process.stderr.write(line) } = options
  // Longer first: one may be the beginning of another.
  const known = secrets.filter((secret) => secret.length > 3).sort((a, b) => b.length - a.length)
  const cleaned = (text: string): string =>
    SECRET_TEXTS.reduce(
      (rest, [pattern, left]) => rest.replace(pattern, left),
      known.reduce((rest, secret) => rest.replaceAll(secret, REDACTED), text),
    )
  const redact = (key: string, value: unknown): unknown => {
    if (SECRET_NAME.test(key)) return REDACTED
    if (typeof value === 'string') return cleaned(value)
    return value instanceof Error ? told(value) : value
  }
  const log = (at: Level, message: string, more: Fields = {}): void => {
    if (ORDER[at] < least) return
    write(`${JSON.stringify({ time: new Date().toISOString(), level: at, message, ...fields, ...more }, redact)}\n`)
  }
  return {
    debug: (message, more) => log('debug', message, more),
    info: (message, more) => log('info', message, more),
    warn: (message, more) => log('warn', message, more),
    error: (message, more) => log('error', message, more),
    with: (more) => createLogger(level, { ...fields, ...more }, options),
  }
}

export const silentLogger: Logger = createLogger('silent')

/** With its cause, and no further: what causes hang on may be long, and even a circle. */
function told(error: Error): Fields {
  return { ...named(error), stack: error.stack, ...(error.cause instanceof Error ? { cause: named(error.cause) } : {}) }
}

function named(error: Error): Fields {
  const { code } = error as { code?: unknown }
  return { name: error.name, message: error.message, ...(code === undefined ? {} : { code }) }
}
