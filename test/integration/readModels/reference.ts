// What METRICS says, counted naively from a list of events in log order. Shares no code with what it checks.
import type { Collected } from './driver.ts'

const DEVICES = ['desktop', 'mobile', 'tablet', 'tv', 'console', 'wearable', 'other', 'unknown']

/** Agents the tests use, with what they are known to be. */
export const AGENTS = [
  { text: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36', device: 'desktop', bot: false },
  { text: 'Mozilla/5.0 (iPhone; CPU iPhone OS 15_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.0 Mobile/15E148 Safari/604.1', device: 'mobile', bot: false },
  { text: 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', device: 'other', bot: true },
] as const

export function logged(events: readonly Collected[], appId: string): Collected[] {
  const seen = new Set<string>()
  return events.filter((event) => event.appId === appId && !seen.has(event.id) && seen.add(event.id))
}

interface Summary {
  count: number
  uniqueUsers: number
  deviceData: Record<string, number>
}

export function summary(log: readonly Collected[], range: { from: number; to: number; event?: string | undefined; bots?: string | undefined }): Summary {
  const owner = owners(log)
  const people = new Set<string>()
  const deviceData = Object.fromEntries(DEVICES.map((device) => [device, 0]))
  let count = 0
  for (const { at, data } of log) {
    const agent = AGENTS.find(({ text }) => text === data.userAgent)
    if (at < range.from || at >= range.to) continue
    if (range.event !== undefined && data.event !== range.event) continue
    if (range.bots === 'exclude' && agent?.bot === true) continue
    if (range.bots === 'only' && agent?.bot !== true) continue
    count++
    deviceData[data.device ?? agent?.device ?? 'unknown']!++
    const person = who(data)
    if (person !== undefined) people.add(owner.get(person) ?? person)
  }
  return { count, uniqueUsers: people.size, deviceData }
}

export function personal(log: readonly Collected[], userId: string): { totalEvents: number; firstSeen: number; lastSeen: number; recent: string[] } | undefined {
  const owner = owners(log)
  const mine = log.map((event, position) => ({ ...event, position })).filter(({ data }) => {
    const person = who(data)
    return person !== undefined && (owner.get(person) ?? person) === `user ${userId}`
  })
  if (mine.length === 0) return undefined
  const times = mine.map(({ at }) => at)
  const recent = mine.sort((left, right) => right.at - left.at || right.position - left.position).slice(0, 20)
  return { totalEvents: mine.length, firstSeen: Math.min(...times), lastSeen: Math.max(...times), recent: recent.map(({ id }) => id) }
}

function who(data: Collected['data']): string | undefined {
  if (data.userId !== undefined) return `user ${data.userId}`
  if (data.anonymousId !== undefined) return `anonymous ${data.anonymousId}`
  return data.cookieless === undefined ? undefined : `cookieless ${data.cookieless}`
}

function owners(log: readonly Collected[]): Map<string, string> {
  const owner = new Map<string, string>()
  for (const { data } of log) {
    if (data.userId === undefined) continue
    const others = [data.anonymousId === undefined ? [] : [`anonymous ${data.anonymousId}`], data.cookieless === undefined ? [] : [`cookieless ${data.cookieless}`]].flat()
    for (const other of others) if (!owner.has(other)) owner.set(other, `user ${data.userId}`)
  }
  return owner
}
