// The first page says to each what they can do next, in JSON the same as in HTML, and its commands run as they stand there.
// So does the recipe for command lines in docs/operations.md.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInvitationToken } from '../../src/commands/invitationToken.ts'
import { inviteMember, type InviteMember } from '../../src/commands/inviteMember.ts'
import { OWNER_ID } from '../../src/commands/signInOwner.ts'
import { FIRST_ORGANISATION } from '../../src/events/organisations.ts'
import type { HttpDeps } from '../../src/http/deps.ts'
import { createHttpServer } from '../../src/http/server.ts'
import { type GoogleServer, startGoogleServer } from '../support/googleServer.ts'
import { freePort } from '../support/serverProcess.ts'
import { fakeDeps, listening } from './support/fakeDeps.ts'
import { ask, type Fixture, OWNER_CODE, startFixture, type Told } from './support/fixture.ts'
import { newVisitor, type Visitor } from './support/visitor.ts'

interface Step {
  readonly title: string
  readonly command: string
}

const stepsOf = ({ body }: Told): Step[] => body['nextSteps'] as Step[]
const BY_CODE = 'Sign in with the owner code that the console printed'
const BY_COMMAND_LINE = ['Sign in on a command line: open the address that this prints', 'Put in the code that the page shows']
const FIRST_APP = ['Register an app', 'Issue a key for it', 'Collect the first event', 'Read the number']

/** Runs a script that prints an address and waits for a code; answers its lines. */
function typed(script: string, codeFor: (address: string) => Promise<string>): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const shell = spawn('bash', ['-c', script], { env: { PATH: process.env['PATH'] }, stdio: ['pipe', 'pipe', 'inherit'] })
    let said = ''
    let told = false
    shell.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const address = /http\S+\?cli=\S+(?=\n)/.exec(said)?.[0]
      if (told || address === undefined) return
      told = true
      codeFor(address).then((code) => shell.stdin.end(`${code}\n`), (error: unknown) => {
        shell.kill()
        reject(new Error('no code', { cause: error }))
      })
    })
    shell.on('error', reject)
    shell.on('close', () => resolve(said.trim().split('\n')))
  })
}

describe('the first page', function () {
  this.timeout(60_000)
  let google: GoogleServer
  let fixture: Fixture
  let url: string
  let people = 0

  before(async () => {
    google = await startGoogleServer()
    const port = String(await freePort())
    url = `http://localhost:${port}`
    fixture = await startFixture({ ...google.env, PORT: port, HOST: 'localhost', PUBLIC_URL: url })
  })
  after(async () => {
    await fixture.close()
    await google.close()
  })

  const signedIn = async (role: InviteMember['role'], apps: InviteMember['apps'] = []): Promise<Visitor> => {
    const { token, tokenHash } = createInvitationToken()
    await fixture.bus.execute(inviteMember, { organisationId: FIRST_ORGANISATION, role, apps, tokenHash }, { actor: OWNER_ID })
    people += 1
    google.person = { sub: `sub-${people}`, email: `person-${people}@mail.example`, email_verified: true }
    const visitor = newVisitor(url)
    assert.equal((await visitor.signIn(`?invitation=${token}`)).status, 303)
    return visitor
  }
  const titles = async (visitor: Visitor): Promise<string[]> => {
    const told = await visitor.ask({ path: '/' })
    const found = stepsOf(told).map(({ title }) => title)
    const { text } = await visitor.visit('/')
    assert.deepEqual([...text.matchAll(/<li>([^<]+)<pre>/g)].map(([, title]) => title), found, 'the page says what the JSON says')
    return found
  }
  const codeShown = async (address: string): Promise<string> => {
    const visitor = newVisitor(url)
    const page = await visitor.visit(await visitor.throughGoogle(new URL(address).search))
    return /class="code">([^<]+)</.exec(page.text)![1]!
  }

  it('leads a newcomer from the owner code to the first number', async () => {
    const visitor = newVisitor(url)
    assert.deepEqual(await titles(visitor), [BY_CODE, ...FIRST_APP])
    assert.equal((await visitor.ask({ path: '/auth/local', body: { code: OWNER_CODE } })).status, 200)
    assert.deepEqual(await titles(visitor), [BY_CODE, ...FIRST_APP])
    const told = await visitor.ask({ path: '/' })
    assert.equal(told.headers['cache-control'], 'private, no-store')
    assert.match(told.headers.vary!, /Cookie.*Accept|Accept.*Cookie/)
  })

  it('sends an admin who came with Google through Google, and nobody else to register apps', async () => {
    assert.deepEqual(await titles(await signedIn('admin')), [...BY_COMMAND_LINE, ...FIRST_APP])
    for (const role of ['analyst', 'viewer'] as const) {
      assert.deepEqual(await titles(await signedIn(role)), [...BY_COMMAND_LINE, 'List the apps that you see', 'Read a number of Test app'], role)
    }
    assert.deepEqual(await titles(await signedIn('guest')), [...BY_COMMAND_LINE, 'List the apps that you see'])
    assert.deepEqual(await titles(await signedIn('guest', [{ appId: fixture.other.appId, role: 'viewer' }])), [...BY_COMMAND_LINE, 'List the apps that you see', 'Read a number of Other app'])
  })

  it('has commands that run as they stand: a guest signs in on a command line and reads a number of their app', async () => {
    const steps = stepsOf(await (await signedIn('guest', [{ appId: fixture.other.appId, role: 'viewer' }])).ask({ path: '/' }))
    const lines = await typed(steps.map(({ command }) => command).join('\necho\n'), codeShown)
    const answer = JSON.parse(lines.at(-1)!) as Record<string, unknown>
    assert.deepEqual([answer['count'], answer['event']], [0, 'pageview'])
  })

  it('and so has docs/operations.md', async () => {
    const person = await signedIn('viewer')
    const { email } = (await person.ask({ path: '/auth/me' })).body
    const document = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')
    const [begin, end] = ['?cli=', '/auth/sign-out'].map((part) => [...document.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, text]) => text!).find((text) => text.includes(part))!)
    const me = 'echo; curl -s "$URL/auth/me" -H "authorization: Bearer $USER_TOKEN"\n'
    const lines = await typed(`${begin!.replace('https://stats.example.org', url)}${me}${end!}${me}`, codeShown)
    const [before, after] = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>)
    assert.deepEqual([before!['code'] ?? before!['email'], after!['code']], [email, 'session_ended'])
  })

  it('sends nobody a way that is closed', async () => {
    const anonymous = async (config: Partial<HttpDeps['config']>): Promise<{ steps: string[]; page: string }> => {
      const place = await listening(createHttpServer(fakeDeps({ config: { ...fakeDeps().config, ...config } })))
      try {
        const page = await ask(place.url, { path: '/', headers: { accept: 'text/html' } })
        return { steps: stepsOf(await ask(place.url, { path: '/' })).map(({ title }) => title), page: page.text }
      } finally {
        await place.close()
      }
    }
    const client = { clientId: 'c', clientSecret: 's', callbackUrl: 'http://a.example/auth/google/callback', authorizationUrl: undefined, tokenUrl: undefined, userinfoUrl: undefined }
    const through = await anonymous({ allowLocalSignin: false, google: client })
    assert.deepEqual(through.steps, [...BY_COMMAND_LINE, 'List the apps that you see'])
    assert.match(through.page, /href="\/auth\/google"/)
    assert.doesNotMatch(through.page, /owner code/)
    const closed = await anonymous({ allowLocalSignin: false })
    assert.deepEqual(closed.steps, [])
    assert.match(closed.page, /Nobody can sign in yet/)
    assert.doesNotMatch(closed.page, /<ol>|href="\/auth\/google"/)
  })
})
