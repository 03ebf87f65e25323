// What a database's error means for whoever wants to try again. Transient: the store is away, busy, full or read-only, and
// the same work succeeds later. Deterministic: this very data cannot be stored, now or ever. Anything else is a defect of ours.

export type StoreFault = 'transient' | 'deterministic' | 'defect'

const TRANSIENT_MYSQL = new Set([
  1021, // ER_DISK_FULL
  1037, // ER_OUTOFMEMORY
  1038, // ER_OUT_OF_SORTMEMORY
  1040, // ER_CON_COUNT_ERROR
  1041, // ER_OUT_OF_RESOURCES
  1042, // ER_BAD_HOST_ERROR
  1043, // ER_HANDSHAKE_ERROR
  1047, // ER_UNKNOWN_COM_ERROR: a Galera node that has lost its cluster says so
  1053, // ER_SERVER_SHUTDOWN
  1080, // ER_FORCING_CLOSE
  1114, // ER_RECORD_FILE_FULL
  1158, 1159, 1160, 1161, // ER_NET_*
  1180, // ER_ERROR_DURING_COMMIT
  1184, // ER_NEW_ABORTING_CONNECTION
  1203, // ER_TOO_MANY_USER_CONNECTIONS
  1205, // ER_LOCK_WAIT_TIMEOUT
  1206, // ER_LOCK_TABLE_FULL
  1213, // ER_LOCK_DEADLOCK
  1226, // ER_USER_LIMIT_REACHED
  1290, // ER_OPTION_PREVENTS_STATEMENT: --read-only
  1317, // ER_QUERY_INTERRUPTED
  1614, // ER_XA_RBDEADLOCK
  1792, // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
  1836, // ER_READ_ONLY_MODE
  1874, // ER_INNODB_READ_ONLY
  1927, // ER_CONNECTION_KILLED (MariaDB)
  1969, 3024, // statement time limit (MariaDB, MySQL)
  3168, // ER_SERVER_ISNT_AVAILABLE
  3169, // ER_SESSION_WAS_KILLED
  4031, // ER_CLIENT_INTERACTION_TIMEOUT
])

// Errors of a handler (1030) carry the reason as a number in their text: no space, read-only file system, input/output.
const HANDLER_ERRNO = /\b(?:errno|error)[: ]+(?:-1|5|28|30|122|135|136)\b/i

const TRANSIENT_CODES =
  /^(?:ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|EHOSTDOWN|ENOTFOUND|EAI_AGAIN|EADDRNOTAVAIL|EMFILE|ENOBUFS|ENOENT|PROTOCOL_CONNECTION_LOST|PROTOCOL_SEQUENCE_TIMEOUT|PROTOCOL_ENQUEUE_\w+|HANDSHAKE_\w+|POOL_\w+)$/

const TRANSIENT_SQLITE = /^SQLITE_(?:BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|NOMEM|PROTOCOL|INTERRUPT)(?:_|$)/
const DETERMINISTIC_SQLITE = /^SQLITE_(?:CONSTRAINT|MISMATCH|TOOBIG|RANGE)(?:_|$)/

interface DriverError {
  readonly name?: unknown
  readonly message?: unknown
  readonly code?: unknown
  readonly errno?: unknown
  readonly sqlState?: unknown
  readonly fatal?: unknown
}

export function classifyMysql(error: unknown): StoreFault {
  const { errno, sqlState, code, message, fatal, name } = driverError(error)
  if (typeof errno === 'number' && TRANSIENT_MYSQL.has(errno)) return 'transient'
  if (errno === 1030) return HANDLER_ERRNO.test(String(message)) ? 'transient' : 'defect'
  // 1153: the statement is larger than max_allowed_packet, and will be next time.
  if (errno === 1153) return 'deterministic'
  if (typeof sqlState === 'string') {
    if (/^2[23]/.test(sqlState)) return 'deterministic'
    if (/^(?:08|40)/.test(sqlState)) return 'transient'
  }
  if (typeof code === 'string' && TRANSIENT_CODES.test(code)) return 'transient'
  if (isPoolError(name, message)) return 'transient'
  return fatal === true && typeof sqlState !== 'string' ? 'transient' : 'defect'
}

export function classifySqlite(error: unknown): StoreFault {
  const { code, name, message } = driverError(error)
  if (typeof code === 'string') {
    if (TRANSIENT_SQLITE.test(code)) return 'transient'
    if (DETERMINISTIC_SQLITE.test(code)) return 'deterministic'
  }
  return isPoolError(name, message) ? 'transient' : 'defect'
}

/** True when a unique key says that something of this is stored already. */
export function isMysqlRepeat(error: unknown): boolean {
  return driverError(error).errno === 1062 // ER_DUP_ENTRY
}

/** True when a unique key says that something of this is stored already. */
export function isSqliteRepeat(error: unknown): boolean {
  const { code } = driverError(error)
  return code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY'
}

/** True when the error says that another connection holds the database for the moment. */
export function isSqliteBusy(error: unknown): boolean {
  const { code } = driverError(error)
  return typeof code === 'string' && /^SQLITE_(?:BUSY|LOCKED)(?:_|$)/.test(code)
}

function driverError(error: unknown): DriverError {
  return typeof error === 'object' && error !== null ? error : {}
}

// knex (and its pool) and mysql2 report some losses of a connection in words alone.
function isPoolError(name: unknown, message: unknown): boolean {
  return (
    name === 'KnexTimeoutError' ||
    name === 'TimeoutError' ||
    /^(?:Can't add new command when connection is in closed state|Connection lost|Pool is closed|Queue limit reached|No connections available)/.test(String(message))
  )
}
