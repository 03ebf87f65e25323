// A producer and an owner as they meet Recount over HTTP: sign in with the owner code, register an app, issue a key, post
// events, read numbers. Uses nothing of the program but its routes.
import assert from 'node:assert/strict'

export interface TestApp {
  readonly appId: string
  readonly keyId: string
  readonly token: string
  readonly writeKey: string
  readonly userToken: string
}

export interface JsonAnswer {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly headers: Headers
}

/** One request with a JSON body and a JSON answer. */
export async function send(
  method: string,
  url: string,
  options: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<JsonAnswer> {
  const response = await fetch(url, {
    method,
    headers: {
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...options.headers,
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  })
  const text = await response.text()
  return {
    status: response.status,
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    headers: response.headers,
  }
}

/** Signs in with the owner code, registers an app and issues a key with all scopes. */
export async function newApp(url: string, ownerCode: string, settings: Record<string, unknown> = {}): Promise<TestApp> {
  const signIn = await send('POST', `${url}/auth/local`, { body: { code: ownerCode } })
  assert.equal(signIn.status, 200, JSON.stringify(signIn.body))
  const userToken = signIn.body['token'] as string
  const app = await send('POST', `${url}/auth/register`, { token: userToken, body: { name: 'Test app', ...settings } })
  assert.equal(app.status, 201, JSON.stringify(app.body))
  const appId = app.body['appId'] as string
  const key = await send('POST', `${url}/auth/api-key`, {
    token: userToken,
    body: { appId, name: 'Test key', scopes: ['collect', 'query', 'people'] },
  })
  assert.equal(key.status, 201, JSON.stringify(key.body))
  return {
    appId,
    keyId: key.body['keyId'] as string,
    token: key.body['token'] as string,
    writeKey: key.body['writeKey'] as string,
    userToken,
  }
}
