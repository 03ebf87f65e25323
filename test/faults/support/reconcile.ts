// Compares the load generator's books with what Recount holds: every acknowledged event is in the log once, nothing is there
// that was not sent, and every number that Recount serves follows from the log. Pure, so that a test can show it what is wrong.
import { ACKNOWLEDGED, type AppBooks, INVALID, STORED, type Totals, totalsOf } from './ledger.ts'
import { personOf } from './traffic.ts'

/** What there is to see once the load has stopped and everything has come to rest. */
export interface Seen {
  /** Of processes that ended by themselves, that are not ready, and of a queue that is not empty, in words. */
  readonly unwell: readonly string[]
  /** The whole log, partition by partition in the order of positions, in pages. */
  logged(): AsyncIterable<readonly Logged[]>
  /** Last position of each partition. */
  readonly heads: ReadonlyMap<number, number>
  readonly verification: Verification
  readonly ledgers: ReadonlyMap<string, LedgerSums>
  /** By app, of each API process. */
  readonly answers: ReadonlyMap<string, readonly SummaryAnswer[]>
}

export interface Logged {
  readonly partition: number
  readonly position: number
  readonly appId: string
  readonly eventId: string
  readonly type: string
  /** Epoch milliseconds. */
  readonly recordedAt: number
}

/** The part of `recount verify --json` that is looked at. */
export interface Verification {
  readonly ok: boolean
  readonly partitions: readonly { readonly partition: number; readonly events: number; readonly broken?: { readonly position: number; readonly reason: string } }[]
  readonly duplicateIds: readonly string[]
  readonly readModels: readonly { readonly projection: string; readonly differences: readonly string[]; readonly lagEvents: number }[]
}

export interface LedgerSums {
  readonly stored: number
  readonly duplicate: number
  readonly rejected: number
  /** By the hour in which the log recorded them; as many as stored where nobody releases anything. */
  readonly recorded: number
  /** Sum of the quarantine's counts. */
  readonly quarantined: number
}

export interface SummaryAnswer {
  readonly count: number
  readonly uniqueUsers: number
}

export interface Findings {
  readonly totals: Totals
  readonly duplicates: number
  readonly countedTwice: number
  /** In words; empty when all is as promised. */
  readonly problems: readonly string[]
}

const NAMED = 5

export async function reconcile(books: readonly AppBooks[], seen: Seen): Promise<Findings> {
  const problems = new Problems()
  for (const words of seen.unwell) problems.add('unwell', words)
  const log = await readLog(books, seen, problems)
  checkVerification(seen.verification, problems)
  let countedTwice = log.twice
  let duplicates = 0
  for (const app of books) {
    const stored = log.stored.get(app.appId)!
    duplicates += checkLedger(app, stored, seen.ledgers.get(app.appId), problems)
    countedTwice += checkAnswers(app, stored, seen.answers.get(app.appId) ?? [], problems)
    for (let counter = 0; counter < app.issued; counter++) {
      const isLost = (app.flags[counter]! & (ACKNOWLEDGED | STORED)) === ACKNOWLEDGED
      if (isLost) problems.add('lost', `${app.idOf(counter)} of app ${app.appId} was acknowledged and is not in the log`)
    }
  }
  return { totals: totalsOf(books), duplicates, countedTwice, problems: problems.words() }
}

/** Of each kind the first few by name and the rest by number: a run that loses much must not bury its report. */
class Problems {
  readonly #kinds = new Map<string, { count: number; first: string[] }>()

  add(kind: string, words: string): void {
    const known = this.#kinds.get(kind) ?? { count: 0, first: [] }
    this.#kinds.set(kind, known)
    known.count++
    if (known.first.length < NAMED) known.first.push(`${kind}: ${words}`)
  }

  words(): string[] {
    return [...this.#kinds].flatMap(([kind, { count, first }]) => (count > NAMED ? [...first, `${kind}: ${count - NAMED} more`] : first))
  }
}

interface ReadLog {
  /** Counters that are in the log, by app. */
  readonly stored: ReadonlyMap<string, number[]>
  readonly twice: number
}

async function readLog(books: readonly AppBooks[], seen: Seen, problems: Problems): Promise<ReadLog> {
  const apps = new Map(books.map((app) => [app.appId, app]))
  const stored = new Map(books.map((app) => [app.appId, [] as number[]]))
  const last = new Map<number, Place>()
  let twice = 0
  for await (const page of seen.logged()) {
    for (const logged of page) {
      const { partition, position, appId, eventId, type } = logged
      checkPlace(logged, last.get(partition) ?? { position: 0, recordedAt: 0 }, problems)
      last.set(partition, logged)
      const app = apps.get(appId)
      if (app === undefined || type !== 'EventCollected') continue
      const counter = app.counterOf(eventId)
      if (counter === undefined) {
        problems.add('never sent', `${eventId} of app ${appId} at position ${position}`)
        continue
      }
      const flags = app.flags[counter]!
      if ((flags & STORED) !== 0) {
        twice++
        problems.add('stored twice', `${eventId} of app ${appId}, again at position ${position}`)
        continue
      }
      if ((flags & INVALID) !== 0) problems.add('invalid', `${eventId} of app ${appId} was to be refused and is in the log`)
      app.mark(counter, STORED)
      stored.get(appId)!.push(counter)
      const answered = app.positions.get(counter)
      if (answered !== undefined && answered !== position) problems.add('position', `${eventId} stands at ${position}, and ack=stored answered ${answered}`)
    }
  }
  for (const [partition, position] of seen.heads) {
    const found = last.get(partition)?.position ?? 0
    if (found !== position) problems.add('positions', `the head of partition ${partition} says ${position}, its last event ${found}`)
  }
  return { stored, twice }
}

type Place = Pick<Logged, 'position' | 'recordedAt'>

/** Positions are dense, and time does not run backwards, whatever the clocks do. */
function checkPlace({ partition, position, recordedAt }: Logged, before: Place, problems: Problems): void {
  if (position !== before.position + 1) problems.add('positions', `partition ${partition} goes on with ${position} where ${before.position + 1} is due`)
  if (recordedAt < before.recordedAt) problems.add('time', `partition ${partition}, position ${position} was recorded ${before.recordedAt - recordedAt} ms before the one ahead of it`)
}

function checkVerification({ ok, partitions, duplicateIds, readModels }: Verification, problems: Problems): void {
  for (const { partition, broken } of partitions) {
    if (broken !== undefined) problems.add('chain', `partition ${partition}, position ${broken.position}: ${broken.reason}`)
  }
  for (const words of duplicateIds) problems.add('stored twice', words)
  if (readModels.length === 0) problems.add('read model', 'none was compared')
  for (const { projection, differences, lagEvents } of readModels) {
    for (const words of differences) problems.add('read model', `${projection}: ${words}`)
    if (lagEvents > 0) problems.add('lag', `${projection} is ${lagEvents} events behind the log`)
  }
  if (!ok) problems.add('verify', 'recount verify says that something is wrong')
}

/** Answers how many duplicates the ledger has. */
function checkLedger(app: AppBooks, stored: readonly number[], sums: LedgerSums | undefined, problems: Problems): number {
  const { appId, attempted, accepted, attemptedInvalid, refused } = app
  const ledger = sums ?? { stored: 0, duplicate: 0, rejected: 0, recorded: 0, quarantined: 0 }
  const say = (words: string): void => problems.add('ledger', `app ${appId}: ${words}`)
  if (ledger.stored !== stored.length) say(`${ledger.stored} stored, and ${stored.length} are in the log`)
  if (ledger.recorded !== stored.length) say(`${ledger.recorded} recorded, and ${stored.length} are in the log`)
  const taken = ledger.stored + ledger.duplicate
  if (taken < accepted || taken > attempted) say(`stored and duplicate are ${taken}, and ${accepted} were acknowledged of ${attempted} sent`)
  if (ledger.rejected < refused || ledger.rejected > attemptedInvalid) say(`${ledger.rejected} rejected, and ${refused} refusals were answered of ${attemptedInvalid} invalid ones sent`)
  if (ledger.rejected !== ledger.quarantined) say(`${ledger.rejected} rejected, and quarantine counts ${ledger.quarantined}`)
  return ledger.duplicate
}

/** Answers how many events were counted beyond those in the log. */
function checkAnswers({ appId }: AppBooks, stored: readonly number[], answers: readonly SummaryAnswer[], problems: Problems): number {
  const people = new Set(stored.map(personOf)).size
  if (answers.length === 0) problems.add('answers', `nobody answered for app ${appId}`)
  let beyond = 0
  for (const { count, uniqueUsers } of answers) {
    beyond = Math.max(beyond, count - stored.length)
    if (count !== stored.length) problems.add('answers', `app ${appId}: ${count} events are counted, and ${stored.length} are in the log`)
    if (uniqueUsers !== people) problems.add('answers', `app ${appId}: ${uniqueUsers} people are counted, and the log has ${people}`)
  }
  return Math.max(0, beyond)
}
