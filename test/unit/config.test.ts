// Every variable is checked at start, and a fault names the variable.
import assert from 'node:assert/strict'
import { ConfigError, readConfig } from '../../src/config.ts'

const SECRET = 'a secret of more than thirty-two characters'
const MYSQL = { DATABASE_URL: 'mysql://user:password@db:3306/recount', JWT_SECRET: SECRET }

const WRONG: readonly (readonly [variable: string, env: Record<string, string>])[] = [
  ['PORT', { PORT: 'abc' }],
  ['PORT', { PORT: '65536' }],
  ['PORT', { PORT: '-1' }],
  ['DATABASE_URL', { DATABASE_URL: 'postgres://db/recount' }],
  ['DATABASE_URL', { DATABASE_URL: 'sqlite:' }],
  ['REDIS_URL', { ...MYSQL, REDIS_URL: 'http://redis' }],
  ['REDIS_URL', { REDIS_URL: 'redis://localhost' }],
  ['CACHE_REDIS_URL', { CACHE_REDIS_URL: 'localhost:6379' }],
  ['ROLE', { ROLE: 'worker' }],
  ['ROLE', { ...MYSQL, ROLE: 'api' }],
  ['WEB_CONCURRENCY', { WEB_CONCURRENCY: '0' }],
  ['WEB_CONCURRENCY', { WEB_CONCURRENCY: '2' }],
  ['JWT_SECRET', { JWT_SECRET: 'short' }],
  ['JWT_SECRET', { NODE_ENV: 'production' }],
  ['JWT_SECRET', { DATABASE_URL: MYSQL.DATABASE_URL }],
  ['JWT_SECRET_PREVIOUS', { JWT_SECRET: SECRET, JWT_SECRET_PREVIOUS: 'short' }],
  ['JWT_SECRET_PREVIOUS', { JWT_SECRET_PREVIOUS: SECRET }],
  ['JWT_SECRET_PREVIOUS', { JWT_SECRET: SECRET, JWT_SECRET_PREVIOUS: SECRET }],
  ['USER_TOKEN_SECRET', { USER_TOKEN_SECRET: 'short' }],
  ['USER_TOKEN_SECRET_PREVIOUS', { USER_TOKEN_SECRET: SECRET, USER_TOKEN_SECRET_PREVIOUS: 'short' }],
  ['USER_TOKEN_SECRET_PREVIOUS', { USER_TOKEN_SECRET_PREVIOUS: SECRET }],
  ['USER_TOKEN_SECRET_PREVIOUS', { USER_TOKEN_SECRET: SECRET, USER_TOKEN_SECRET_PREVIOUS: SECRET }],
  ['OWNER_CODE', { OWNER_CODE: 'elevenchars' }],
  ['ALLOW_LOCAL_SIGNIN', { ALLOW_LOCAL_SIGNIN: 'perhaps' }],
  ['GOOGLE_CLIENT_SECRET', { GOOGLE_CLIENT_ID: 'id' }],
  ['PUBLIC_URL', { NODE_ENV: 'production', JWT_SECRET: SECRET, GOOGLE_CLIENT_ID: 'id', GOOGLE_CLIENT_SECRET: 'secret' }],
  ['GOOGLE_TOKEN_URL', { GOOGLE_TOKEN_URL: 'http://google.example/token' }],
  ['GOOGLE_USERINFO_URL', { GOOGLE_USERINFO_URL: 'ftp://localhost/userinfo' }],
  ['OWNER_EMAIL', { OWNER_EMAIL: 'the owner' }],
  ['PUBLIC_URL', { PUBLIC_URL: 'recount.example' }],
  ['PUBLIC_URL', { PUBLIC_URL: 'https://recount.example/?a=1' }],
  ['PUBLIC_URL', { PUBLIC_URL: 'https://recount.example/#a' }],
  ['PUBLIC_URL', { PUBLIC_URL: 'https://ann:secret@recount.example' }],
  ['TRUST_PROXY', { TRUST_PROXY: 'yes' }],
  ['TRUST_PROXY', { TRUST_PROXY: '10.0.0.0/33' }],
  ['TRUST_PROXY', { TRUST_PROXY: '0.0.0.0/0' }],
  ['TRUST_PROXY', { TRUST_PROXY: '10.0.0.0/8/8' }],
  ['RATE_LIMIT', { RATE_LIMIT: '100' }],
  ['METRICS_TOKEN', { METRICS_TOKEN: 'short' }],
  ['PARTITIONS', { PARTITIONS: '0' }],
  ['PARTITIONS', { PARTITIONS: '1.5' }],
  ['APPEND_MAX_EVENTS', { APPEND_MAX_EVENTS: '0' }],
  ['APPEND_MAX_WAIT_MS', { APPEND_MAX_WAIT_MS: '1s' }],
  ['LOG_LEVEL', { LOG_LEVEL: 'loud' }],
  ['NODE_ENV', { NODE_ENV: 'staging' }],
]

describe('configuration', () => {
  for (const [variable, env] of WRONG) {
    it(`refuses ${Object.entries(env).map((each) => each.join('=')).join(' ')} and names ${variable}`, () => {
      assert.throws(
        () => readConfig(env),
        (error) => error instanceof ConfigError && error.variable === variable && error.message.startsWith(`${variable}: `),
      )
    })
  }

  it('needs nothing to begin with', () => {
    const { port, host, databaseUrl, role, allowLocalSignin, trustProxy } = readConfig({})
    assert.deepEqual({ port, host, databaseUrl, role, allowLocalSignin, trustProxy }, {
      ...{ port: 1055, host: '127.0.0.1', databaseUrl: 'sqlite:./data/recount.db', role: 'all' },
      ...{ allowLocalSignin: true, trustProxy: false },
    })
  })

  it('keeps local sign-in off in production unless it is asked for', () => {
    assert.equal(readConfig({ NODE_ENV: 'production', JWT_SECRET: SECRET }).allowLocalSignin, false)
    assert.equal(readConfig({ NODE_ENV: 'production', JWT_SECRET: SECRET, ALLOW_LOCAL_SIGNIN: '1' }).allowLocalSignin, true)
  })

  it('has Google send people back to PUBLIC_URL, and to this machine where there is none', () => {
    const client = { GOOGLE_CLIENT_ID: 'id', GOOGLE_CLIENT_SECRET: 'secret' }
    const callbackOf = (env: Record<string, string>): string | undefined => readConfig({ ...client, ...env }).google?.callbackUrl
    assert.equal(callbackOf({ PUBLIC_URL: 'https://stats.example.org/' }), 'https://stats.example.org/auth/google/callback')
    assert.equal(callbackOf({ PORT: '2000' }), 'http://localhost:2000/auth/google/callback')
    assert.equal(readConfig({ GOOGLE_AUTHORIZATION_URL: 'https://sign-in.example' }).google, undefined)
    assert.equal(readConfig({ ...client, GOOGLE_TOKEN_URL: 'http://127.0.0.1:8080/token' }).google?.tokenUrl, 'http://127.0.0.1:8080/token')
  })

  it('takes proxies by number, by address and by network', () => {
    assert.equal(readConfig({ TRUST_PROXY: '2' }).trustProxy, 2)
    assert.deepEqual(readConfig({ TRUST_PROXY: 'loopback, 10.0.0.0/8,::1' }).trustProxy, ['loopback', '10.0.0.0/8', '::1'])
  })
})
