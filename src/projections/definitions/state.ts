// What the projection of goals and reports has in hand: who the visitors of each app are, and what one transaction adds to
// and takes from its cells. Cells come together only when they are written: nothing but sums, so their order does not matter.
import type { EventCollected } from '../../events/eventCollected.ts'
import { localDays, type LocalDays } from '../../kernel/calendar.ts'
import { textKey } from '../../kernel/hashing.ts'
import { uuidToBytes } from '../../kernel/ids.ts'
import { LIMITS } from '../../limits.ts'
import { Contributions } from '../sets/countedSet.ts'
import { type Matcher, matchersOf } from './match.ts'
import { SLOT_MS } from '../eventSummary/cells.ts'
import { NumberBag } from '../sets/numberBag.ts'
import type { FoldContext } from '../projection.ts'
import type { Takings } from '../visitors/takings.ts'
import { userAgent } from '../enrichment/userAgents.ts'
import { VisitorIndex } from '../visitors/visitorIndex.ts'
import type { Identity } from '../visitors/visitors.ts'
import type { VisitorTables } from '../visitors/visitorRows.ts'

export const DEFINED_VISITORS: VisitorTables = { visitors: 'def_visitors', people: 'def_people' }

export class DefinedApp {
  readonly key: Buffer
  readonly zone: LocalDays
  readonly visitors: VisitorIndex
  /** True until its first write: nothing of it is in the tables. */
  fresh: boolean

  constructor(
    appId: string,
    timezone: string,
    readonly matchers: readonly Matcher[],
    visitors: number | undefined,
  ) {
    this.key = uuidToBytes(appId)
    this.zone = localDays(timezone)
    this.fresh = visitors === undefined
    this.visitors = new VisitorIndex(visitors ?? 0, this.fresh)
  }
}

/** What a cell is to have more, or less. */
export interface CellChange {
  readonly matcher: Pick<Matcher, 'definition' | 'revision'>
  readonly bucket: number
  readonly bot: 0 | 1
  readonly groupKey: Buffer
  readonly groupValues: string
  events: number
  /** The number of its set among the contributions. */
  readonly visitors: number
  readonly numbers: Map<string, NumberBag>
}

export interface DefinedMemory {
  readonly apps: Map<string, DefinedApp>
  /** True while a fold has moved it that was not written yet. */
  open: boolean
}

export interface DefinedState {
  readonly memory: DefinedMemory
  readonly context: FoldContext
  /** By app, then by cell. */
  readonly changes: Map<DefinedApp, Map<string, CellChange>>
  readonly contributions: Contributions
  /** Of the page that is loaded; undefined where its events take nothing back. */
  taken: Takings | undefined
  /** Whose links are to be what the log says at the end of the page, whatever its events have made of them. */
  links: readonly { readonly app: DefinedApp; readonly identity: Identity; readonly userId: string | undefined }[]
}

export function newDefinedState(memory: DefinedMemory, context: FoldContext): DefinedState {
  // A fold that was never written left things here that the tables do not have.
  if (memory.open) dropMemory(memory)
  return { memory, context, changes: new Map(), contributions: new Contributions(), taken: undefined, links: [] }
}

export function dropMemory(memory: DefinedMemory): void {
  memory.apps.clear()
  memory.open = false
}

/** After a write. */
export function trimMemory(memory: DefinedMemory): void {
  memory.open = false
  let kept = 0
  for (const { visitors } of memory.apps.values()) kept += visitors.kept
  if (memory.apps.size > LIMITS.summaryAppsKept || kept > LIMITS.summaryVisitorsKept) dropMemory(memory)
}

export function definesAnything({ context }: DefinedState, appId: string): boolean {
  return matchersOf(context.definitionsOf(appId)).length > 0
}

/** Adds what one content says to every cell that it counts in, or takes it away. */
export function contribute(state: DefinedState, app: DefinedApp, { data, occurredAt }: { data: EventCollected; occurredAt: number }, visitor: number, sign: 1 | -1): void {
  const bot = userAgent(data.userAgent).bot ? 1 : 0
  const dayMs = app.zone.at(occurredAt).fromMs
  for (const [index, matcher] of app.matchers.entries()) {
    if (!matcher.matches(data)) continue
    const bucket = matcher.hourly ? Math.max(dayMs, Math.floor(occurredAt / SLOT_MS) * SLOT_MS) : dayMs
    const change = changeOf(state, app, index, bucket, bot, JSON.stringify(matcher.group(data)))
    change.events += sign
    if (visitor >= 0) state.contributions.add(change.visitors, visitor, sign)
    for (const { label, number } of matcher.numbers(data)) {
      let bag = change.numbers.get(label)
      if (bag === undefined) change.numbers.set(label, (bag = new NumberBag()))
      bag.add(number, sign)
    }
  }
}

/** The changes of an app, also where there are none: the app is written either way. */
export function changesOf({ changes }: DefinedState, app: DefinedApp): Map<string, CellChange> {
  let cells = changes.get(app)
  if (cells === undefined) changes.set(app, (cells = new Map<string, CellChange>()))
  return cells
}

function changeOf(state: DefinedState, app: DefinedApp, index: number, bucket: number, bot: 0 | 1, groupValues: string): CellChange {
  const cells = changesOf(state, app)
  const key = `${index} ${bucket} ${bot} ${groupValues}`
  let change = cells.get(key)
  if (change === undefined) {
    const { definition, revision } = app.matchers[index]!
    const cell = { matcher: { definition, revision }, bucket, bot, groupKey: textKey(groupValues), groupValues }
    cells.set(key, (change = { ...cell, events: 0, visitors: state.contributions.newSet(), numbers: new Map() }))
  }
  return change
}
