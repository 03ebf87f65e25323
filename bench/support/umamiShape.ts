// Traffic of the shape in which Umami was measured: 500 pages, 20 referrers, five events a session, a browser's headers, a client
// address out of 100,000; over HTTP as load, and straight into a log as 90 days of history.
import type { EventLog, NewEvent } from '../../src/events/eventLog.ts'
import type { EventCollected } from '../../src/events/eventCollected.ts'
import { uuidv5, uuidv7 } from '../../src/kernel/ids.ts'
import type { TestApp } from '../../test/support/client.ts'
import type { Load } from './wrk.ts'

const PAGES = 500
const REFERRERS = 20
const EVENTS_PER_SESSION = 5
const ADDRESSES = 100_000
const DAY_MS = 86_400_000
const ORIGIN = 'https://bench.example'
const USER_AGENTS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15',
  'Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1',
]

function pageview(page: number): Record<string, string> {
  return {
    event: 'pageview',
    url: `${ORIGIN}/docs/page-${page}`,
    referrer: `https://ref${page % REFERRERS}.example/path`,
    title: `Page ${page} - Bench site`,
    screen: '1920x1080',
    language: 'en-US',
  }
}

/** One event a request of a browser, or `size` of them in one; needs TRUST_PROXY=1. Five requests in a row are one session. */
export function umamiLoad(url: string, { token }: TestApp, connections: number, size = 1): Omit<Load, 'seconds'> {
  const bodies = Array.from({ length: PAGES }, (_, page) => {
    const events = Array.from({ length: size }, (_event, n) => pageview((page * size + n) % PAGES))
    return `[==[${JSON.stringify(size === 1 ? events[0] : events)}]==]`
  })
  // What is the same in all requests of a page is made once; only the address is put in between.
  const requests = `
local bodies = {${bodies.join(',\n')}}
local agents = {${USER_AGENTS.map((agent) => `"${agent}"`).join(',')}}
local before, after = {}, {}
local at, address, page = 0, "", 1
function init(args)
  math.randomseed(os.time())
  for n = 1, #bodies do
    wrk.headers["user-agent"] = agents[n % #agents + 1]
    wrk.headers["x-forwarded-for"] = "ADDRESS"
    local text = wrk.format(nil, nil, nil, bodies[n])
    local from, to = text:find("ADDRESS", 1, true)
    before[n], after[n] = text:sub(1, from - 1), text:sub(to + 1)
  end
end
function request()
  if at % ${EVENTS_PER_SESSION} == 0 then
    local n = math.random(0, ${ADDRESSES - 1})
    address = "81." .. math.floor(n / 65536) .. "." .. math.floor(n / 256) % 256 .. "." .. n % 256
    page = math.random(0, 124) * 4 + n % 4
  end
  at = at + 1
  -- Four apart: the pages of a session have one agent.
  page = (page + 4) % ${PAGES}
  return before[page + 1] .. address .. after[page + 1]
end`
  return { url, token, body: '', connections, headers: { origin: ORIGIN }, requests }
}

/** `events` of `events / 10` sessions, over the 90 days before `toMs`; answers once all is in the log. */
export async function seedUmami(log: EventLog, appId: string, events: number, toMs: number): Promise<void> {
  const partition = log.partitionOf(appId)
  const sessions = Math.ceil(events / 10)
  for (let start = 0; start < events; start += 1_000) {
    const batch: NewEvent[] = Array.from({ length: Math.min(1_000, events - start) }, (_, n) => {
      const index = start + n
      // Ten events a session, in stretches: neighbours in the log are of different sessions, as in life.
      const session = (Math.floor(index / 1_000) * 100 + (index % 100)) % sessions
      const data: EventCollected = {
        ...(pageview((session * 7 + Math.floor(n / 100) * 13) % PAGES) as { event: string }),
        cookieless: Buffer.from(String(session).padStart(16, '0')).toString('base64url').slice(0, 22),
        ip: `81.${(session >> 16) & 255}.${(session >> 8) & 255}.0`,
        userAgent: USER_AGENTS[session % USER_AGENTS.length]!,
        browser: true,
      }
      const occurredAt = Math.floor(toMs - 90 * DAY_MS * (1 - index / events))
      return { eventId: uuidv5(appId, String(index)), appId, type: 'EventCollected', schemaVersion: 1, occurredAt, data: JSON.stringify(data), meta: null }
    })
    await log.append({ partition, packs: [{ deliveryId: uuidv7(), partition, receivedAt: Date.now(), events: batch, rejected: [] }] })
  }
}
