// Signing in, joining and leaving in a real browser, which alone knows whether cookies, redirects and the content policy
// agree with one another. Google is another site here, as it is in life.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { createOrganisation } from '../../src/commands/createOrganisation.ts'
import { createInvitationToken } from '../../src/commands/invitationToken.ts'
import { inviteMember } from '../../src/commands/inviteMember.ts'
import { OWNER_ID } from '../../src/commands/signInOwner.ts'
import { FIRST_ORGANISATION } from '../../src/events/organisations.ts'
import { LIMITS } from '../../src/limits.ts'
import { type Fixture, startFixture } from '../http/support/fixture.ts'
import { startBrowser } from '../support/browser.ts'
import { type GoogleServer, startGoogleServer } from '../support/googleServer.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { freePort } from '../support/serverProcess.ts'

const ADA = { sub: 'sub-of-ada', email: 'ada@mail.example', email_verified: true, name: 'Ada' }

describe('sign-in in a browser', function () {
  this.timeout(120_000)
  let google: GoogleServer
  let fixture: Fixture
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let url: string
  let now = Date.now()
  const complaints: string[] = []
  const directory = process.env['TEST_SCREENSHOTS'] ?? scratchDirectory('sign-in')

  before(async () => {
    google = await startGoogleServer()
    const port = String(await freePort())
    url = `http://localhost:${port}`
    fixture = await startFixture({ ...google.env, PORT: port, HOST: 'localhost', PUBLIC_URL: url }, { clock: { now: () => now } })
    browser = await startBrowser()
    context = await browser.newContext()
    page = await context.newPage()
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
  })
  after(async () => {
    await browser.close()
    await fixture.close()
    await google.close()
  })
  afterEach(() => assert.deepEqual(complaints.splice(0), []))

  const invited = async (organisationId: string): Promise<string> => {
    const { token, tokenHash } = createInvitationToken()
    await fixture.bus.execute(inviteMember, { organisationId, role: 'analyst', tokenHash }, { actor: OWNER_ID })
    return `${url}/invitations/${token}`
  }
  const look = async (name: string): Promise<void> => writeFileSync(`${directory}/${name}.png`, await page.screenshot({ fullPage: true }))
  const text = (): Promise<string> => page.innerText('main')

  it('joins by an invitation through Google, and ends signed in on the first page with cookies that no script sees', async () => {
    google.person = ADA
    await page.goto(await invited(FIRST_ORGANISATION))
    assert.match(await text(), /Join My organisation/)
    await look('invitation')
    await page.click('text=Sign in with Google to join')
    await page.waitForURL(`${url}/`)
    assert.match(await text(), /Signed in as ada@mail\.example/)
    assert.match(await text(), /My organisation\s+analyst/)
    await look('signed-in')
    assert.equal(await page.evaluate('document.cookie'), '')
    const cookies = (await context.cookies([url, `${url}/auth`])).map(({ name, httpOnly, sameSite, path }) => `${name} ${httpOnly} ${sameSite} ${path}`)
    assert.deepEqual([...new Set(cookies)].sort(), ['recount_refresh true Strict /auth', 'recount_user true Lax /'])
    assert.ok(!(await page.evaluate<string>('location.href')).includes('code'))
  })

  it('stays signed in when the token has ended: the page refreshes it', async () => {
    now += LIMITS.userTokenSeconds * 2_000
    await page.goto(url)
    await page.waitForSelector('text=Signed in as')
  })

  it('joins another organisation as who is signed in, at a click', async () => {
    const { organisationId } = await fixture.bus.execute(createOrganisation, { name: 'Crumbs & Co' }, { actor: OWNER_ID })
    await page.goto(await invited(organisationId))
    // The token ends while somebody reads.
    now += LIMITS.userTokenSeconds * 2_000
    complaints.length = 0
    await page.click('text=Join as ada@mail.example')
    await page.waitForURL(`${url}/`)
    assert.match(await text(), /Crumbs & Co\s+analyst/)
    // The browser itself says that the first try was refused.
    assert.deepEqual(complaints.splice(0).filter((one) => !one.includes('401')), [])
  })

  it('signs out at a click, and in again at another', async () => {
    await page.click('text=Sign out')
    await page.waitForSelector('text=Sign in with Google')
    assert.deepEqual(await context.cookies([url, `${url}/auth`]), [])
    await look('signed-out')
    await page.click('text=Sign in with Google')
    await page.waitForSelector('text=Signed in as ada@mail.example')
  })

  it('says in words what went wrong, with a way to try again', async () => {
    google.person = undefined
    await page.goto(`${url}/auth/google`)
    assert.match(await text(), /Google was told not to let you in here/)
    assert.match(await text(), /sign_in_denied/)
    await look('denied')
    complaints.length = 0
    google.person = ADA
    await page.click('text=Sign in with Google again')
    await page.waitForSelector('text=Signed in as ada@mail.example')
  })
})
