// The snippets of the README, run as they stand there: the HTML in a real browser, the JavaScript in Node.
import { strict as assert } from 'node:assert'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Browser } from 'playwright-core'
import { startBrowser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { npmStart } from '../support/npmStart.ts'
import type { Started } from '../support/npmStart.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { freePort } from '../support/serverProcess.ts'

const README = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
const snippet = (language: string): string => new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'm').exec(README)?.[1] ?? assert.fail(language)

describe('the snippets of the README', function () {
  this.timeout(180_000)
  let recount: Started
  let url: string
  let appId: string
  let writeKey: string
  let token: string
  let browser: Browser
  let site: Server

  before(async () => {
    const port = await freePort()
    url = `http://localhost:${port}`
    recount = await npmStart(port, join(scratchDirectory('snippets'), 'data'))
    writeKey = /rk_\w+/.exec(recount.output())![0]
    appId = /appId=([0-9a-f-]+)/.exec(recount.output())![1]!
    token = /Bearer (ey[\w.-]+)/.exec(recount.output())![1]!
    browser = await startBrowser()
  })

  after(async () => {
    await browser.close()
    site.close()
    await recount.stop()
  })

  const summary = async (event: string): Promise<Record<string, unknown>> => {
    const response = await fetch(`${url}/analytics/event-summary?appId=${appId}&event=${event}`, { headers: { authorization: `Bearer ${token}` } })
    return (await response.json()) as Record<string, unknown>
  }

  it('HTML: a page view and an event of a page elsewhere are counted as one visitor, without a cookie', async () => {
    const html = snippet('html').replace('https://stats.example.org', url).replace('rk_YOUR_WRITE_KEY', writeKey)
    const page = `<!doctype html><title>Shop</title><h1>Shop</h1>${html}`
    site = createServer((_req, res) => void res.setHeader('content-type', 'text/html').end(page))
    const sitePort = await freePort()
    await new Promise<void>((resolve) => void site.listen(sitePort, '127.0.0.1', resolve))
    const context = await browser.newContext()
    const tab = await context.newPage()
    await tab.goto(`http://127.0.0.1:${sitePort}/pricing?utm_source=news&email=ada@example.org`)
    await tab.evaluate("recount('signup', { metadata: { plan: 'pro' } })")
    for (const event of ['pageview', 'signup']) {
      const seen = await eventually(async () => {
        const answer = await summary(event)
        return answer['count'] === 1 ? answer : undefined
      })
      assert.equal(seen['uniqueUsers'], 1)
    }
    assert.deepEqual(await context.cookies(), [])
    const response = await fetch(`${url}/events?appId=${appId}`, { headers: { authorization: `Bearer ${token}` } })
    assert.equal(response.status, 200)
    const text = await response.text()
    assert.ok(text.includes('utm_source=news'))
    assert.ok(!text.includes('ada@example.org'), 'what the query said beyond campaigns is not kept')
  })

  it('sh: the block of the first minute pastes as a whole, and its last line counts the event', async () => {
    const code = /owner code\D*?([\w-]{12,})/i.exec(recount.output())![1]!
    const block = snippet('sh\\nOWNER_CODE=paste-it-here').replace('http://localhost:1055', url)
    const { stdout } = await promisify(execFile)('bash', ['-c', `OWNER_CODE=${code}\n${block}`], { env: { PATH: process.env['PATH'] } })
    const answer = JSON.parse(stdout) as { count: number; uniqueUsers: number }
    assert.deepEqual([answer.count, answer.uniqueUsers], [1, 1])
  })

  it('JavaScript: a server sends an event, and sending is answered with its id', async () => {
    const code = `${snippet('js').replace('https://stats.example.org', url)}\nconsole.log(JSON.stringify({ accepted, ids, rejected }))`
    const env = { PATH: process.env['PATH'], RECOUNT_TOKEN: token }
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { env })
    const answer = JSON.parse(stdout) as { accepted: number; ids: string[]; rejected: unknown[] }
    assert.equal(answer.accepted, 1)
    assert.equal(answer.ids.length, 1)
    assert.deepEqual(answer.rejected, [])
    await eventually(async () => (await summary('purchase'))['count'] === 1)
  })
})
