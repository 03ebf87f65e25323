// Makes a page of events ready to fold: what each says as refs, who its client is, the runs it can touch, and for
// corrections what they take away and what the runs concerned consist of. Reads only, and few statements a page.
import type { Knex } from 'knex'
import type { FoldEvent } from '../../events/catalogue.ts'
import type { Content } from '../../events/content.ts'
import type { EventCollected } from '../../events/eventCollected.ts'
import { eventCorrected } from '../../events/eventCorrected.ts'
import { eventRetracted, type EventRetracted } from '../../events/eventRetracted.ts'
import { bytesToUuid, uuidToBytes } from '../../kernel/ids.ts'
import { firstLinks, identityName, readContent } from '../visitors/links.ts'
import type { EventReader } from '../projection.ts'
import { bytesOf } from '../storage/rows.ts'
import { chunks } from '../storage/rowSets.ts'
import { ANONYMOUS, type Identity, linkedIdentities } from '../visitors/visitors.ts'
import { clientOf, isBot, isPageview, roleOf } from '../visitors/visitRules.ts'
import type { Timeline } from './timeline.ts'
import type { Said } from './values.ts'
import { AppVisits, type Change, type Item, type Relink, type State } from './visitsMemory.ts'
import { positionsOf, VisitReading } from './visitsRows.ts'

export async function loadWeb(db: Knex, build: number, state: State, events: readonly FoldEvent[], reader: EventReader): Promise<void> {
  state.memory.open = true
  for (const timeline of state.opened) timeline.contents = undefined
  state.opened.clear()
  state.relinks = []
  await loadApps(db, build, state, events)
  await new PageLoad(db, build, state, reader).load(events)
}

async function loadApps(db: Knex, build: number, { memory, context }: State, events: readonly FoldEvent[]): Promise<void> {
  const missing = new Set<string>()
  let last: string | undefined
  for (const { appId } of events) {
    if (appId === last) continue
    last = appId
    if (!memory.apps.has(appId)) missing.add(appId)
  }
  for (const ids of chunks([...missing])) {
    const rows = await db('web_visit_apps')
      .where({ build })
      .whereIn('app_id', ids.map(uuidToBytes))
      .select<{ app_id: Uint8Array | ArrayBuffer; longest_ms: number | string }[]>('app_id', 'longest_ms')
    const longest = new Map(rows.map((row) => [bytesToUuid(bytesOf(row.app_id)), Number(row.longest_ms)]))
    for (const id of ids) memory.apps.set(id, new AppVisits(id, context.timezoneOf(id), context.definitionsOf(id), longest.get(id), memory))
  }
}

type Draft = { -readonly [Key in keyof Item]: Item[Key] }

class PageLoad {
  private readonly reading = new VisitReading()
  private readonly said: Said = { refs: [], entry: -1, exit: -1, arrival: undefined }
  private readonly items: Draft[] = []
  /** Those whose refs were not all known. */
  private unsaid: Draft[] = []

  constructor(
    private readonly db: Knex,
    private readonly build: number,
    private readonly state: State,
    private readonly reader: EventReader,
  ) {}

  async load(events: readonly FoldEvent[]): Promise<void> {
    const { state } = this
    const corrections = events.some(({ type }) => type === eventCorrected.type || type === eventRetracted.type)
    const old = corrections ? await this.oldContents(events) : NO_ITEMS
    state.page = events.map((event) => this.read(event, old))
    await this.prepare(this.items)
    await this.reading.read(this.db, this.build, state.memory)
    if (corrections) await this.open(events)
  }

  /** What corrections and retractions of the page take away, as far as it stands before the page. */
  private async oldContents(events: readonly FoldEvent[]): Promise<Map<number, Item | undefined>> {
    const positions = new Map<number, string>()
    const inPage = new Set(events.map(({ position }) => position))
    for (const event of events) {
      const named = correctionOf(event)
      if (named !== undefined && !inPage.has(named.contentPosition)) positions.set(named.contentPosition, event.appId)
    }
    const found = new Map<number, Item | undefined>()
    for (const [position, event] of await this.reader.at([...positions.keys()])) {
      const content = event.appId === positions.get(position) ? readContent(event) : undefined
      if (content !== undefined) found.set(position, this.item(event.appId, content))
    }
    return found
  }

  private read(event: FoldEvent, old: Map<number, Item | undefined>): Item | Change | undefined {
    const content = readContent(event)
    const put = content === undefined ? undefined : this.item(event.appId, content)
    const named = old === NO_ITEMS ? undefined : correctionOf(event)
    if (old !== NO_ITEMS) old.set(event.position, put)
    if (named === undefined) return put
    return { app: this.state.memory.apps.get(event.appId)!, taken: old.get(named.contentPosition), put }
  }

  private item(appId: string, { position, contentPosition, occurredAt: at, data }: Content): Item {
    const app = this.state.memory.apps.get(appId)!
    const bot = isBot(data)
    const role = roleOf(data)
    const client = role === 'passive' ? undefined : clientOf(data, bot)
    const timeline = client === undefined ? undefined : app.timeline(client, bot)
    const interactive = role === 'interactive'
    const item: Draft = {
      app, data, bot, timeline, at, position, contentPosition, interactive,
      pageview: isPageview(data), day: app.day(at), visitor: -1, refs: NOTHING, entry: -1, exit: -1, arrival: undefined,
    } // prettier-ignore
    if (at > app.latest) app.latest = at
    this.items.push(item)
    if (!this.speak(item)) this.unsaid.push(item)
    if (timeline !== undefined) this.reading.want(app, timeline, at)
    return item
  }

  private speak(item: Draft): boolean {
    const { said } = this
    const arrives = item.timeline !== undefined && item.interactive && item.data.url !== undefined
    const known = item.app.values.read(item.data, item.day, item.pageview && item.timeline !== undefined, arrives, said)
    item.refs = said.refs
    item.entry = said.entry
    item.exit = said.exit
    item.arrival = said.arrival
    return known
  }

  private async prepare(items: readonly Item[]): Promise<void> {
    const { tally, memory } = this.state
    const asked = [...memory.apps.values()].map((app) => ({ app, wanted: app.values.take() })).filter(({ wanted }) => wanted.length > 0)
    await tally.prepare(this.db, this.build, items.map(({ app: { appId }, data }) => ({ appId, data })), asked.flatMap(({ wanted }) => wanted))
    for (const { app, wanted } of asked) app.values.learn(tally, wanted)
    for (const item of this.unsaid) this.speak(item)
    this.unsaid = []
  }

  /** Reads what the runs consist of that corrections may cut again, and the links they may have changed. */
  private async open(events: readonly FoldEvent[]): Promise<void> {
    const { opened, page } = this.state
    for (const change of page) if (change !== undefined && 'taken' in change && change.taken?.timeline !== undefined) opened.add(change.taken.timeline)
    const inPage = this.items.filter(({ timeline }) => timeline !== undefined && opened.has(timeline))
    this.items.length = 0
    for (const timeline of opened) await this.openTimeline(timeline, inPage.filter((item) => item.timeline === timeline))
    await this.relink(events)
  }

  private async openTimeline(timeline: Timeline, inPage: readonly Item[]): Promise<void> {
    const { app } = timeline
    const contents = new Map<number, Item>()
    for (const visit of new Set(inPage.flatMap(({ at }) => timeline.touching(at)))) {
      const positions = await positionsOf(this.db, this.build, app.key, timeline.key, visit)
      for (const some of chunks(positions)) {
        for (const event of (await this.reader.at(some)).values()) {
          const content = readContent(event)
          if (content !== undefined) contents.set(content.contentPosition, this.item(app.appId, content))
        }
      }
    }
    await this.prepare([...contents.values()])
    for (const item of contents.values()) item.visitor = this.state.tally.visitor(app.appId, item.data)
    timeline.contents = contents
  }

  private async relink(events: readonly FoldEvent[]): Promise<void> {
    const { relinks, page, tally } = this.state
    const byApp = new Map<AppVisits, Map<string, Identity>>()
    for (const change of page) {
      if (change === undefined || !('taken' in change)) continue
      for (const item of [change.taken, change.put]) {
        for (const identity of item === undefined ? [] : linkedIdentities(item.data)) {
          const identities = byApp.get(change.app) ?? new Map<string, Identity>()
          byApp.set(change.app, identities.set(identityName(identity), identity))
        }
      }
    }
    for (const [app, identities] of byApp) {
      const links = await firstLinks(this.reader, app.appId, [...identities.values()], events.at(-1)!.position)
      for (const [name, identity] of identities) relinks.push({ app, identity, userId: links.get(name)?.userId })
    }
    if (relinks.length > 0) await tally.prepare(this.db, this.build, relinks.map(linking), [])
  }
}

/** An event that makes the link: so that both sides of it are known. */
function linking({ app, identity: { kind, id }, userId }: Relink): { appId: string; data: EventCollected } {
  const data: EventCollected = { event: 'link', ...(kind === ANONYMOUS ? { anonymousId: id } : { cookieless: id }) }
  if (userId !== undefined) data.userId = userId
  return { appId: app.appId, data }
}

const NOTHING: readonly number[] = []
const NO_ITEMS = new Map<number, Item | undefined>()

function correctionOf(event: FoldEvent): EventRetracted | undefined {
  if (event.type !== eventRetracted.type && event.type !== eventCorrected.type) return undefined
  try {
    return (event.data as EventRetracted | null) ?? undefined
  } catch {
    return undefined
  }
}
