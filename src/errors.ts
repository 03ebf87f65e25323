// The one table of what can go wrong for a client: stable code, HTTP status, title. Every route answers from it as
// RFC 9457 problem details, so a client can switch on `code` for years. This file imports nothing and may be imported
// from everywhere.

export const ERRORS = {
  bad_request: [400, 'The request is not well-formed HTTP'],
  invalid_json: [400, 'The body is not valid JSON'],
  invalid_body: [400, 'The body does not have the expected form'],
  invalid_parameter: [400, 'A parameter is missing, unknown or malformed'],
  invalid_event: [400, 'No event in the request is valid'],
  invalid_encoding: [400, 'The body cannot be decoded as its content encoding says'],
  empty_range: [400, 'The range is empty: `to` is exclusive and must lie after `from`'],
  unsupported_dimension: [400, 'This cannot be defined over a dimension of visits; ask breakdown with filter= instead'],
  unauthenticated: [401, 'No credentials were given, or they are not valid'],
  token_expired: [401, 'The token has expired'],
  key_revoked: [401, 'The key has been revoked'],
  session_ended: [401, 'The session has ended: sign in again'],
  wrong_code: [401, 'The owner code is not right'],
  sign_in_failed: [400, 'The sign-in was not begun here, or too long ago: start again'],
  sign_in_denied: [403, 'Google was told not to let you in here'],
  email_unverified: [403, 'Google has not verified this e-mail address'],
  not_invited: [403, 'Nobody has invited this account'],
  invitation_for_another: [403, 'The invitation is for somebody else'],
  forbidden: [403, 'These credentials do not allow this'],
  origin_not_allowed: [403, 'This origin is not allowed'],
  not_found: [404, 'There is no such thing here'],
  method_not_allowed: [405, 'The route does not take this method'],
  request_timeout: [408, 'The request did not arrive in time'],
  not_counted_yet: [408, 'The event was not counted within the time allowed'],
  invitation_ended: [410, 'The invitation has expired, was used or was taken back'],
  last_owner: [409, 'An organisation keeps at least one owner'],
  already_member: [409, 'The account belongs to the organisation already'],
  conflict: [409, 'Somebody else changed this at the same time'],
  already_replaced: [409, 'The key has been replaced already'],
  key_ended: [409, 'The key has been revoked or has expired'],
  build_live: [409, 'The build is live or being built: switch or pause first'],
  already_defined: [409, 'There is a definition of this kind and name already'],
  limit_reached: [409, 'There are as many of these as there may be'],
  already_running: [409, 'This is under way already'],
  already_retracted: [409, 'The event was retracted, which nothing undoes'],
  already_released: [409, 'The event was released from quarantine already'],
  already_discarded: [409, 'The event was discarded from quarantine'],
  body_not_whole: [409, 'What is kept of the event is not what was sent: send the event that is to be released'],
  body_dropped: [410, 'The event is not kept any more: newer ones took its place in quarantine'],
  payload_too_large: [413, 'The body is larger than this route takes'],
  uri_too_long: [414, 'The address is longer than this server takes'],
  unsupported_media_type: [415, 'The route takes application/json'],
  too_much_for_the_log: [422, 'There is more in the log than one answer reads'],
  too_many_rows: [422, 'The answer would have more rows than one answer holds'],
  headers_too_large: [431, 'The request headers are larger than this server takes'],
  rate_limited: [429, 'Too many requests'],
  internal: [500, 'Something went wrong on our side'],
  unavailable: [503, 'A store is unavailable; try again'],
  provider_unavailable: [503, 'The sign-in provider did not answer as it should'],
  not_ready: [503, 'This process cannot take traffic at the moment'],
  overloaded: [503, 'The queue is full; nothing was accepted; try again'],
} as const satisfies Record<string, readonly [status: number, title: string]>

export type ErrorCode = keyof typeof ERRORS

/** One fault in an input: where it is, as a JSON pointer or parameter name, what is wrong, and a code where there are kinds of it. */
export interface Fault {
  path: string
  detail: string
  code?: string
}

export interface ProblemOptions {
  errors?: readonly Fault[]
  retryAfterSeconds?: number
  cause?: unknown
}

/** An error with a designed answer. Anything else that reaches the edge is `internal`, and a defect. */
export class Problem extends Error {
  readonly status: number
  readonly title: string
  readonly errors: readonly Fault[] | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(
    readonly code: ErrorCode,
    detail?: string,
    options: ProblemOptions = {},
  ) {
    const [status, title] = ERRORS[code]
    super(detail ?? title, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Problem'
    this.status = status
    this.title = title
    this.errors = options.errors
    this.retryAfterSeconds = options.retryAfterSeconds
  }

  /** The body of an application/problem+json answer. */
  toJSON(): Record<string, unknown> {
    return {
      type: `urn:recount:problem:${this.code}`,
      title: this.title,
      status: this.status,
      code: this.code,
      detail: this.message,
      ...(this.errors === undefined ? {} : { errors: this.errors }),
    }
  }
}
