// Log lines are JSON, at the level asked for, and hold no secret, however it got into them.
import { strict as assert } from 'node:assert'
import { createLogger, type Fields } from '../../../src/kernel/logger.ts'

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhYmMifQ.c2lnbmF0dXJl'
const SECRET = 'Tr0ub4dor&3'

function logged(message: string, fields?: Fields, secrets: readonly string[] = []): string {
  let line = ''
  createLogger('debug', {}, { secrets, write: (text) => (line += text) }).info(message, fields)
  return line
}

describe('the logger', () => {
  const HIDDEN: Record<string, Fields> = {
    'a password of an address': { url: `mysql://recount:${SECRET}@db.example:3306/recount` },
    'a password without a user': { url: `redis://:${SECRET}@cache.example/0` },
    'a password with an at sign in it': { url: `mysql://recount:${SECRET}@x${SECRET}@db.example/recount` },
    'an Authorization header': { headers: { Authorization: `Bearer ${SECRET}` } },
    'an Authorization header in a text': { detail: `sent authorization: Bearer ${SECRET}` },
    'a basic one': { detail: `Basic ${SECRET}` },
    'a cookie': { headers: { cookie: `recount_user=${SECRET}` } },
    'a cookie in a text': { detail: `Set-Cookie: recount_user=${SECRET}; HttpOnly` },
    'an API key header': { headers: { 'x-api-key': SECRET } },
    'a write key': { body: { writeKey: SECRET } },
    'an owner code': { ownerCode: SECRET },
    'a client secret': { google: { clientSecret: SECRET } },
    'a PKCE verifier': { code_verifier: SECRET },
    'a code in an address': { path: `/auth/google/callback?state=${SECRET}&code=${SECRET}` },
    'a list of tokens': { tokens: [SECRET] },
    'a field deep inside': { a: [{ b: { password: SECRET } }] },
  }

  for (const [what, fields] of Object.entries(HIDDEN)) {
    it(`hides ${what}`, () => {
      const line = logged('said', fields)
      assert.ok(!line.includes(SECRET), line)
      assert.match(line, /\[redacted\]/)
    })
  }

  it('hides tokens and keys by what they look like, in fields, messages and errors with their causes', () => {
    const texts = [JWT, `rk_${'0aA'.repeat(10)}`, `ri_${'0aA'.repeat(10)}`, `rr_${'0aA'.repeat(20)}`, `/collect?key=${SECRET}`]
    const secrets = [JWT, '0aA0aA', SECRET]
    for (const text of texts) {
      const error = new Error(`refused ${text}`, { cause: new Error(`because of ${text}`) })
      for (const line of [logged(`said ${text}`), logged('said', { detail: `x ${text} y` }), logged('said', { error }), logged('said', { list: [text] })]) {
        assert.ok(secrets.every((secret) => !line.includes(secret)), line)
      }
    }
  })

  it('hides what the configuration says is secret, wherever it turns up', () => {
    const error = new Error(`no such user: ${SECRET}`)
    const line = logged(`said ${SECRET}`, { note: `<${SECRET}>`, error }, [SECRET])
    assert.ok(!line.includes(SECRET), line)
  })

  it('hides the same in lines of a logger with more fields', () => {
    let line = ''
    const logger = createLogger('info', {}, { secrets: [SECRET], write: (text) => (line += text) })
    logger.with({ who: SECRET }).warn('said')
    assert.deepEqual((JSON.parse(line) as Fields)['who'], '[redacted]')
  })

  it('writes one line whatever stands in it', () => {
    const hostile = 'a\r\n{"level":"error","message":"forged"}\u0000\u001b[31m'
    const line = logged(hostile, { route: hostile, [hostile]: 1, error: new Error(hostile) })
    assert.match(line, /^[^\u0000-\u001f]+\n$/)
    assert.deepEqual([(JSON.parse(line) as Fields)['message'], (JSON.parse(line) as Fields)['level']], [hostile, 'info'])
  })

  it('leaves what is no secret as it was', () => {
    const fields = { url: 'http://localhost:1055', address: 'http://example.com:80/a@b?x=1', code: 'ECONNREFUSED', keyId: '5f0c2a52-0d7e-5b1c-9c7e-2f6a3b1d4e5f', hint: 'rk_0aA0', events: 3 }
    const line = JSON.parse(logged('ready', fields)) as Fields
    assert.deepEqual({ ...line, time: undefined, level: undefined, message: undefined }, { ...fields, time: undefined, level: undefined, message: undefined })
  })

  it('writes errors with their code, and nothing below its level', () => {
    let lines = ''
    const logger = createLogger('warn', { role: 'api' }, { write: (text) => (lines += text) })
    logger.info('not this')
    logger.error('this', { error: Object.assign(new TypeError('broken'), { code: 'E1' }) })
    const line = JSON.parse(lines) as { role: string; level: string; error: Fields }
    assert.deepEqual([line.role, line.level, line.error['name'], line.error['message'], line.error['code']], ['api', 'error', 'TypeError', 'broken', 'E1'])
  })
})
