// A recount that tells how far it is, told to nobody who may no longer see it: signed out, expired, or the app gone to
// somebody else; and what was still being read for it stops.
import assert from 'node:assert/strict'
import type { HttpDeps } from '../../src/http/deps.ts'
import { createHttpServer } from '../../src/http/server.ts'
import { fakeDeps, fakeKeyring, listening, OTHER_ORGANISATION, OWNER, userToken } from './support/fakeDeps.ts'
import { ask } from './support/fixture.ts'

const APP_ID = '5f0c2a52-0d7e-5b1c-9c7e-2f6a3b1d4e5f'
const APP = { ...fakeKeyring().state.app(APP_ID)!, deleted: false }
const ACCOUNT = fakeKeyring().state.account(OWNER)
type State = HttpDeps['keyring']['state']

describe('the stream of a recount', function () {
  this.timeout(20_000)
  /** What ends it, once there was something to see. */
  interface Loss {
    readonly name: string
    readonly app?: () => object | undefined
    readonly account?: () => object | undefined
    readonly expired?: true
    readonly unsure?: true
  }
  let lost = false
  const losses: readonly Loss[] = [
    { name: 'its reader is no more', account: () => (lost ? undefined : ACCOUNT) },
    { name: 'the app is gone', app: () => ({ ...APP, deleted: lost }) },
    { name: 'the app is somebody else\'s', app: () => (lost ? { ...APP, organisationId: OTHER_ORGANISATION } : APP) },
    { name: 'the token has expired', expired: true },
    { name: 'nobody can say whether its reader still may', unsure: true },
  ]
  for (const { name, app = () => APP, account = () => ACCOUNT, expired, unsure } of losses) {
    it(`ends within two seconds once ${name}`, async () => {
      lost = false
      let stopped = false
      const recount: HttpDeps['recounts']['recount'] = (_appId, _request, { signal, onProgress } = {}) =>
        new Promise((_resolve, reject) => {
          onProgress!(1)
          lost = true
          signal!.addEventListener('abort', () => {
            stopped = true
            reject(signal!.reason as Error)
          })
        })
      const { clock } = fakeDeps()
      const later = { now: () => (lost && expired === true ? clock.now() + 365 * 86_400_000 : clock.now()) }
      const deps = fakeDeps({ clock: later, recounts: { recount }, keyring: fakeKeyring({ trusted: () => !(lost && unsure === true) }, { app: app as State['app'], account: account as State['account'] }) })
      const place = await listening(createHttpServer(deps))
      try {
        const token = userToken(fakeDeps(), OWNER)
        const started = performance.now()
        const told = await ask(place.url, { path: '/recounts', token, headers: { accept: 'text/event-stream' }, body: { appId: APP_ID, question: 'overview' } })
        assert.ok(performance.now() - started < 2_000)
        assert.match(told.text, /^event: progress\ndata: \{"scanned":1\}\n\nevent: problem\ndata: .*"code":"(unauthenticated|unavailable)"/)
        assert.equal(told.text.includes('"code":"unavailable"'), unsure === true)
        assert.equal(stopped, true)
      } finally {
        await place.close()
      }
    })
  }
})
