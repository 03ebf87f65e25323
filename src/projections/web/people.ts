// Counts distinct people over many counted sets with links applied: a visitor who turned out to be a user counts as that
// user, from the first event on (METRICS). Works on flat arrays over the app's ordinals, so that hundreds of values of a
// breakdown cost one pass over their members each.
import { uuidToBytes } from '../../kernel/ids.ts'
import { eachCountedMember } from '../sets/countedSet.ts'
import { bytesOf } from '../storage/rows.ts'
import { CHUNK, eachLink } from '../visitors/visitorIndex.ts'
import { ANONYMOUS, COOKIELESS, identityKey, type IdentityKind, USER } from '../visitors/visitors.ts'
import { WEB_VISITORS } from '../visitors/visitorRows.ts'
import type { WebRows } from './read.ts'

type Bytes = Uint8Array | ArrayBuffer

export class People {
  /** By ordinal: the ordinal of the user it belongs to, or its own. */
  readonly person: Int32Array
  /** By ordinal: kind of identity. */
  readonly kinds: Uint8Array

  constructor(readonly size: number) {
    this.person = new Int32Array(size)
    // A loop, because Int32Array.from takes twenty times as long.
    for (let ordinal = 0; ordinal < size; ordinal++) this.person[ordinal] = ordinal
    this.kinds = new Uint8Array(size)
  }

  distinct(): DistinctPeople {
    return new DistinctPeople(this)
  }
}

/** The app's visitors with their links: a few kilobytes for every 4,096. */
export async function readPeople({ trx, build, appId }: WebRows, { people: table } = WEB_VISITORS): Promise<People> {
  const rows = await trx(table)
    .where({ build, app_id: uuidToBytes(appId) })
    .orderBy('chunk')
    .select<{ chunk: number; kinds: Bytes; links: Bytes }[]>('chunk', 'kinds', 'links')
  const last = rows.at(-1)
  const people = new People(last === undefined ? 0 : last.chunk * CHUNK + bytesOf(last.kinds).length)
  for (const { chunk, kinds, links } of rows) {
    people.kinds.set(bytesOf(kinds), chunk * CHUNK)
    eachLink(bytesOf(links), (ordinal, user) => (people.person[ordinal] = user))
  }
  return people
}

/** The ordinal of one identity, as the tables know it. */
export async function readOrdinal({ trx, build, appId }: WebRows, kind: IdentityKind, id: string): Promise<number | undefined> {
  const row = await trx('web_visitors')
    .where({ build, app_id: uuidToBytes(appId), identity: identityKey(kind, id) })
    .first<{ ordinal: number } | undefined>('ordinal')
  return row?.ordinal
}

/** A set of people that sets are united into; `clear` makes it ready for the next value in no time. */
export class DistinctPeople {
  private readonly seen: Uint32Array
  private round = 1
  private readonly counts: [number, number, number] = [0, 0, 0]
  private readonly visit: (ordinal: number) => void

  constructor(people: People) {
    const seen = (this.seen = new Uint32Array(people.size))
    const { person, kinds } = people
    this.visit = (ordinal) => {
      const who = person[ordinal]
      if (who === undefined) throw new RangeError(`visitor ${ordinal} is not known`)
      if (seen[who] === this.round) return
      seen[who] = this.round
      this.counts[kinds[who] as IdentityKind]++
    }
  }

  /** Unites a counted set, as its bytes, into this one. */
  add(visitors: Uint8Array): void {
    eachCountedMember(visitors, this.visit)
  }

  get size(): number {
    return this.counts[USER] + this.counts[ANONYMOUS] + this.counts[COOKIELESS]
  }

  get by(): { readonly userId: number; readonly anonymousId: number; readonly cookieless: number } {
    return { userId: this.counts[USER], anonymousId: this.counts[ANONYMOUS], cookieless: this.counts[COOKIELESS] }
  }

  clear(): void {
    this.counts.fill(0)
    if (++this.round < 4_294_967_295) return
    this.seen.fill(0)
    this.round = 1
  }
}
