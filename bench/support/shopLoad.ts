// The load of a shop's pages, the same in every bench that takes events all the way: pages, visitors and metadata that differ.
import type { TestApp } from '../../test/support/client.ts'
import type { Load } from './wrk.ts'

/** Different bodies, so that read models have different rows to write. */
const BODIES = 200
const PAGES = 2_000
const VISITORS = 5_000

export function shopLoad({ api, app }: { readonly api: { readonly url: string }; readonly app: Pick<TestApp, 'token'> }, eventsPerRequest: number): Omit<Load, 'seconds'> {
  const event = (n: number): Record<string, unknown> => ({
    event: n % 7 === 0 ? 'add_to_cart' : 'pageview',
    url: `https://example.com/page/${(n * 7) % PAGES}`,
    anonymousId: `visitor-${(n * 13) % VISITORS}`,
    title: 'A page of the shop',
    language: 'en-GB',
    metadata: { position: n, plan: 'team' },
  })
  const bodies = Array.from({ length: BODIES }, (_, body) => {
    const events = Array.from({ length: eventsPerRequest }, (_event, n) => event(body * eventsPerRequest + n))
    return JSON.stringify(eventsPerRequest === 1 ? events[0] : events)
  })
  return {
    url: `${api.url}/collect`,
    token: app.token,
    body: bodies[0]!,
    connections: eventsPerRequest === 1 ? 64 : 16,
    requests: picking(bodies),
  }
}

/** Lua that sends these in turns; made ready before the first, so that choosing one costs nothing. */
export function picking(bodies: readonly string[], headers: readonly Readonly<Record<string, string>>[] = []): string {
  const lines = bodies.map((body) => `[==[${body}]==]`).join(',\n')
  const fields = headers.map((each) => `{${Object.entries(each).map(([name, value]) => `["${name}"]="${value}"`).join(',')}}`).join(',\n')
  return `local bodies = {${lines}}
local fields = {${fields}}
local ready = {}
local at = 0
function init(args)
  math.randomseed(os.time())
  for n = 1, math.max(#bodies, #fields) do
    local headers = {}
    for name, value in pairs(wrk.headers) do headers[name] = value end
    for name, value in pairs(fields[(n - 1) % math.max(1, #fields) + 1] or {}) do headers[name] = value end
    ready[n] = wrk.format(nil, nil, headers, bodies[(n - 1) % #bodies + 1])
  end
end
function request()
  at = at % #ready + 1
  return ready[at]
end`
}
