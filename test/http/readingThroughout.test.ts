// Numbers read without pause while everything changes beneath them: web is rebuilt, a dimension is filled, the app's zone
// moves, events and corrections arrive. Every answer is what the log says of the position it names; none is a mix.
import assert from 'node:assert/strict'
import { eventually } from '../support/eventually.ts'
import { freshDatabase } from '../support/servers.ts'
import { type Fixture, startFixture, type Told } from './support/fixture.ts'

const LOCAL = 'from=2026-11-01&to=2026-11-15'
const CHECKED = 12

interface Read {
  readonly position: number
  readonly range: { readonly from: string; readonly to: string; readonly timezone: string }
  readonly body: Readonly<Record<string, unknown>>
}

class Reader {
  readonly reads = new Map<string, Read[]>()
  private done = false

  constructor(
    private readonly fixture: Fixture,
    private readonly paths: Readonly<Record<string, string>>,
  ) {}

  async run(): Promise<void> {
    while (!this.done) for (const [name, path] of Object.entries(this.paths)) await this.read(name, path)
  }

  stop(): void {
    this.done = true
  }

  private async read(name: string, path: string): Promise<void> {
    const { status, text, body } = await this.fixture.ask({ path, token: this.fixture.app.token })
    assert.equal(status, 200, text)
    const before = this.reads.get(name) ?? []
    this.reads.set(name, before)
    const { position } = body['asOf'] as { position: number }
    const last = before.at(-1)?.position ?? 0
    assert.ok(position >= last, `${name} went back from position ${last} to ${position}`)
    before.push({ position, range: body['range'] as Read['range'], body })
  }

  of(name: string): readonly Read[] {
    return this.reads.get(name)!
  }
}

/** The same position and the same instants: the same answer. */
function keyOf({ position, range }: Read): string {
  return `${position} ${range.from} ${range.to}`
}

function byKey(reads: readonly Read[], part: (body: Read['body']) => unknown): Map<string, unknown> {
  const found = new Map<string, unknown>()
  for (const read of reads) {
    const key = keyOf(read)
    if (found.has(key)) assert.deepEqual(part(read.body), found.get(key), `two answers of ${key}`)
    found.set(key, part(read.body))
  }
  return found
}

function numbersOf(body: Read['body']): object {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !['asOf', 'from', 'range'].includes(name)))
}

function checkOverview({ body }: Read): void {
  const { visitors, visits, pageviews, events } = body as Record<string, number>
  assert.ok(visitors! <= events! && visits! <= events! && pageviews! <= events!, JSON.stringify(body))
}

function checkBreakdown({ body }: Read): void {
  const { rows, without, total } = body as { rows: { events: number; visitors: number; pageviews: number }[]; without: number; total: number }
  assert.equal(rows.reduce((sum, { events }) => sum + events, without), total, JSON.stringify(body))
  for (const row of rows) assert.ok(row.visitors <= row.events && row.pageviews <= row.events, JSON.stringify(row))
}

const ENGINES: readonly [string, () => Promise<Record<string, string>>][] = [
  ['SQLite', () => Promise.resolve({})],
  ['MariaDB', async () => ({ DATABASE_URL: await freshDatabase() })],
]

for (const [engine, env] of ENGINES) {
  describe(`numbers that are read while everything changes, on ${engine}`, function () {
    this.timeout(60_000)
    let fixture: Fixture
    let sent = 0

    const act = async (path: string, body: object, method = 'POST'): Promise<Told> => {
      const told = await fixture.ask({ path, method, token: fixture.app.userToken, body })
      assert.ok(told.status < 300, told.text)
      return told
    }
    /** Visits of two pages and at times a signup, by people who come back. */
    const collect = async (visits: number): Promise<string[]> => {
      const events = Array.from({ length: visits }, () => {
        const [at, who] = [Date.parse('2026-11-01T00:00:00Z') + ((sent * 37) % 400) * 3_000_000, { anonymousId: `a${sent % 23}`, ...(sent % 5 === 0 ? { userId: `u${sent % 7}` } : {}) }]
        const seen = (seconds: number, more: object): object => ({ ...who, timestamp: new Date(at + seconds * 1_000).toISOString(), metadata: { plan: ['free', 'pro'][sent % 2] }, ...more })
        sent++
        return [seen(0, { event: 'pageview', url: `https://x.test/${sent % 9}` }), seen(60, { event: 'pageview', url: 'https://x.test/' }), ...(sent % 3 === 0 ? [seen(90, { event: 'signup' })] : [])]
      }).flat()
      const told = await fixture.ask({ path: '/collect?ack=stored', token: fixture.app.token, body: events })
      assert.equal(told.status, 201, told.text)
      return told.body['ids'] as string[]
    }
    const collecting = async (until: () => Promise<boolean>): Promise<void> => {
      await eventually(async () => {
        await collect(5)
        return until()
      })
    }
    const liveBuild = async (): Promise<unknown> => {
      const { body } = await fixture.ask({ path: '/projections', token: fixture.app.userToken })
      return (body['projections'] as { name: string; builds: { build: number; status: string }[] }[]).find(({ name }) => name === 'web')!.builds.find(({ status }) => status === 'live')!.build
    }
    const areFilled = async (): Promise<boolean> => {
      const { body } = await fixture.ask({ path: `/definitions?appId=${fixture.app.appId}`, token: fixture.app.userToken })
      return (body['definitions'] as { state: string }[]).every(({ state }) => state === 'ready')
    }
    const zoneOf = async (path: string): Promise<string> => ((await fixture.ask({ path, token: fixture.app.token })).body['range'] as Read['range']).timezone

    before(async () => {
      fixture = await startFixture(await env())
      await act('/definitions/goals', { appId: fixture.app.appId, name: 'Sign up', event: 'signup' })
      await collect(100)
      await eventually(areFilled)
    })
    after(() => fixture.close())

    /** Everything that happens, one after the other. */
    const change = async (): Promise<void> => {
      const { appId } = fixture.app
      const before = await liveBuild()
      await act('/projections/web/rebuild', {})
      await collecting(async () => (await liveBuild()) !== before)
      await act('/definitions/dimensions', { appId, key: 'plan' })
      await collecting(areFilled)
      const ids = await collect(10)
      await act(`/events/${ids[0]!}/retraction?appId=${appId}`, { reason: 'a test' })
      await act(`/events/${ids[2]!}/corrections?appId=${appId}`, { reason: 'a test', changes: { timestamp: '2026-11-03T03:03:03Z', anonymousId: 'somebody else' } })
      await act(`/apps/${appId}`, { timezone: 'Asia/Kathmandu' }, 'PATCH')
      await collecting(async () => (await Promise.all(['overview', 'goals'].map((name) => zoneOf(`/analytics/${name}?${LOCAL}`)))).every((zone) => zone === 'Asia/Kathmandu'))
      await act(`/events/${ids[4]!}/retraction?appId=${appId}`, { reason: 'a test' })
    }

    it('are the log\'s at the position they name, never go back, and agree with each other', async () => {
      const paths = { overview: `overview?${LOCAL}`, page: `breakdown?dimension=page&limit=500&${LOCAL}`, source: `breakdown?dimension=channel&limit=500&${LOCAL}`, goals: `goals?${LOCAL}` }
      const reader = new Reader(fixture, Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, `/analytics/${path}`])))
      const reading = reader.run()
      // The last change may come between two reads: it goes on until it has seen what came of it.
      const seen = (): boolean => {
        const keys = new Set(reader.of('overview').map(keyOf))
        return new Set(reader.of('overview').map(({ range }) => range.timezone)).size === 2 && reader.of('page').some((read) => keys.has(keyOf(read)))
      }
      await Promise.race([change().then(() => eventually(seen)).finally(() => reader.stop()), reading])
      reader.stop()
      await reading
      reader.of('overview').forEach(checkOverview)
      for (const name of ['page', 'source']) reader.of(name).forEach(checkBreakdown)
      const overviews = byKey(reader.of('overview'), numbersOf)
      const goals = byKey(reader.of('goals'), ({ goals }) => (goals as object[])[0])
      let met = 0
      for (const name of ['page', 'source']) {
        for (const [key, total] of byKey(reader.of(name), (body) => body['total'])) {
          if (!overviews.has(key)) continue
          assert.equal(total, (overviews.get(key) as { events: number }).events, `${name} at ${key}`)
          met++
        }
      }
      for (const [key, goal] of goals) {
        if (overviews.has(key)) assert.equal((goal as { visitors: number }).visitors, (overviews.get(key) as { visitors: number }).visitors, `goals at ${key}`)
      }
      assert.ok(met > 0 && new Set(reader.of('overview').map(({ range }) => range.timezone)).size === 2, 'it was read in both zones, and compared')
      await theLogSays(reader.of('overview'), overviews, 'overview', numbersOf)
      await theLogSays(reader.of('page'), byKey(reader.of('page'), numbersOf), 'breakdown?dimension=page&limit=500', numbersOf)
    })

    /** Of some of the answers, evenly over all of them. */
    const theLogSays = async (reads: readonly Read[], told: ReadonlyMap<string, unknown>, path: string, part: (body: Read['body']) => unknown): Promise<void> => {
      const places = [...new Map(reads.map((read) => [keyOf(read), read])).values()]
      assert.ok(places.length >= 3, 'it was read at several positions')
      for (let at = 0; at < places.length; at += Math.ceil(places.length / CHECKED)) {
        const { position, range } = places[at]!
        const asked = new URLSearchParams({ from: range.from, to: range.to, asOf: String(position) }).toString()
        const { body, text } = await fixture.ask({ path: `/analytics/${path}${path.includes('?') ? '&' : '?'}${asked}`, token: fixture.app.token })
        assert.equal(body['from'], 'log', text)
        assert.deepEqual(told.get(keyOf(places[at]!)), part(body), `${path} at ${position}`)
      }
    }
  })
}
