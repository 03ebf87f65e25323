// Something that plays Google: a well-kept OAuth 2 server, with people of the test's choice and a way to make each of its
// answers slow, broken or huge. It keeps what it was asked, so that tests can see what goes to Google and what does not.
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { OAuth2Server } from 'oauth2-mock-server'

export interface GooglePerson {
  readonly sub: string
  readonly email?: string
  readonly email_verified?: unknown
  readonly name?: string
  readonly hd?: string
}

export interface GoogleServer {
  readonly url: string
  /** Points a server at it. */
  readonly env: Record<string, string>
  /** Who is in front of the browser at the next consent; undefined: they say no. */
  person: GooglePerson | undefined
  /** What authorisations were asked with, and what codes were exchanged with. */
  readonly authorized: URLSearchParams[]
  readonly exchanged: Record<string, string>[]
  /** In place of its own answer at these paths, while it is there. */
  readonly instead: Map<string, RequestListener>
  close(): Promise<void>
}

type Asked = IncomingMessage & { body: Record<string, string> }
interface Answered {
  body: unknown
  statusCode: number
}

export async function startGoogleServer(): Promise<GoogleServer> {
  const { issuer, service } = new OAuth2Server()
  await issuer.keys.generate('RS256')
  const people = new Map<string, GooglePerson>()
  const instead: GoogleServer['instead'] = new Map()
  const listener = service.requestHandler
  const server = createServer((req, res) => {
    const path = req.url!.split('?')[0]!
    const other = instead.get(path)
    if (other === undefined) listener(req, res)
    else other(req, res)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  issuer.url = url

  const google: GoogleServer = {
    url,
    env: {
      GOOGLE_CLIENT_ID: 'the-client',
      GOOGLE_CLIENT_SECRET: 'the-secret-of-the-client',
      GOOGLE_AUTHORIZATION_URL: `${url}/authorize`,
      GOOGLE_TOKEN_URL: `${url}/token`,
      GOOGLE_USERINFO_URL: `${url}/userinfo`,
    },
    person: undefined,
    authorized: [],
    exchanged: [],
    instead,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  service.on('beforeAuthorizeRedirect', (redirect: { url: URL }, req: IncomingMessage) => {
    google.authorized.push(new URL(req.url!, url).searchParams)
    const { searchParams } = redirect.url
    if (google.person === undefined) {
      searchParams.delete('code')
      searchParams.set('error', 'access_denied')
    } else people.set(searchParams.get('code')!, google.person)
  })
  service.on('beforeResponse', (answer: Answered, { body }: Asked) => {
    google.exchanged.push({ ...body })
    answer.body = { ...(answer.body as object), access_token: `access-${body['code']}` }
  })
  service.on('beforeUserinfo', (answer: Answered, { headers }: IncomingMessage) => {
    const person = people.get(headers.authorization?.replace('Bearer access-', '') ?? '')
    if (person === undefined) Object.assign(answer, { statusCode: 401, body: { error: 'invalid_token' } })
    else answer.body = person
  })
  return google
}
