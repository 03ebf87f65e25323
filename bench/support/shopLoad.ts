// The load of a shop's pages, the same in every bench that takes events all the way: pages, metadata that differ, and visitors who
// come for a visit of five events, go, and some of whom come back.
import type { TestApp } from '../../test/support/client.ts'
import type { Load } from './wrk.ts'

/** Different bodies, so that read models have different rows to write. */
const BODIES = 200
const PAGES = 2_000
const VISITORS = 1_000_000
const EVENTS_PER_VISIT = 5
/** Stands in a body for who it was, and is as long. */
const VISITOR = 'visitor-NNNNNNN'

export function shopLoad({ api, app }: { readonly api: { readonly url: string }; readonly app: Pick<TestApp, 'token'> }, eventsPerRequest: number): Omit<Load, 'seconds'> {
  const event = (n: number): Record<string, unknown> => ({
    event: n % 7 === 0 ? 'add_to_cart' : 'pageview',
    url: `https://example.com/page/${(n * 7) % PAGES}`,
    anonymousId: VISITOR,
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
    requests: visiting(bodies),
  }
}

/** Lua that sends these in turns, with a visitor for every five events; all but who it was is made ready before the first. */
function visiting(bodies: readonly string[]): string {
  return `local bodies = {${bodies.map((body) => `[==[${body}]==]`).join(',\n')}}
local ready = {}
local at, seen, visitor = 0, 0, ""
function init(args)
  math.randomseed(os.time())
  for n = 1, #bodies do
    local text, parts, from = wrk.format(nil, nil, nil, bodies[n]), {}, 1
    while true do
      local first, last = text:find("${VISITOR}", from, true)
      parts[#parts + 1] = text:sub(from, (first or 0) - 1)
      if first == nil then break end
      parts[#parts + 1] = ""
      from = last + 1
    end
    ready[n] = parts
  end
end
function request()
  at = at % #ready + 1
  local parts = ready[at]
  for n = 2, #parts, 2 do
    if seen % ${EVENTS_PER_VISIT} == 0 then visitor = string.format("visitor-%07d", math.random(0, ${VISITORS - 1})) end
    seen = seen + 1
    parts[n] = visitor
  end
  return table.concat(parts)
end`
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
