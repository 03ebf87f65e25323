// The visitors of one app as dense ordinals, in the order in which the log first names them, and who among them turned out
// to be a user: the first userId in order of the collected events wins. Knows what the tables hold as far as it has asked;
// what was new or changed since the last write is kept apart for it.
import type { EventCollected } from '../../events/eventCollected.ts'
import { ANONYMOUS, COOKIELESS, identityKey, type IdentityKind, USER } from './visitors.ts'

export const CHUNK = 4_096

/** Kinds and links of 4,096 neighbouring ordinals: one row of a people table. */
export class PeopleChunk {
  readonly kinds = Buffer.alloc(CHUNK)
  size = 0
  readonly links = new Map<number, number>()

  kindBytes(): Buffer {
    return Buffer.from(this.kinds.subarray(0, this.size))
  }

  linkBytes(): Buffer {
    const pairs = [...this.links].sort(([left], [right]) => left - right)
    const bytes = Buffer.allocUnsafe(8 * pairs.length)
    pairs.forEach(([ordinal, user], at) => bytes.writeUInt32LE(user, bytes.writeUInt32LE(ordinal, 8 * at)))
    return bytes
  }

  static read(kinds: Buffer, links: Buffer): PeopleChunk {
    const chunk = new PeopleChunk()
    kinds.copy(chunk.kinds)
    chunk.size = kinds.length
    for (const [ordinal, user] of linkPairs(links)) chunk.links.set(ordinal, user)
    return chunk
  }
}

/** The same as linkPairs without an object for each. */
export function eachLink(bytes: Buffer, visit: (ordinal: number, user: number) => void): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = 0; at < bytes.length; at += 8) visit(view.getUint32(at, true), view.getUint32(at + 4, true))
}

export function* linkPairs(bytes: Buffer): Generator<readonly [ordinal: number, user: number]> {
  for (let at = 0; at < bytes.length; at += 8) yield [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)]
}

const NONE = -1

export class VisitorIndex {
  private readonly ordinals: readonly [Map<string, number>, Map<string, number>, Map<string, number>] = [new Map(), new Map(), new Map()]
  readonly chunks = new Map<number, PeopleChunk>()
  readonly changedChunks = new Set<number>()
  /** Since the last write: [16-byte identity, ordinal]. */
  added: [Buffer, number][] = []

  constructor(
    /** How many there are, and so the next ordinal. */
    public size: number,
    /** True when an identity that is not here is not in the tables either. */
    public complete: boolean,
  ) {}

  get kept(): number {
    return this.ordinals[USER].size + this.ordinals[ANONYMOUS].size + this.ordinals[COOKIELESS].size
  }

  /** True when there is nothing to ask the tables for. */
  get whole(): boolean {
    return this.complete && this.chunks.size * CHUNK >= this.size
  }

  /** The ordinal an event counts for, -1 when it has no identity; new identities and links are taken in. */
  visit(data: EventCollected): number {
    const { userId, anonymousId, cookieless } = data
    if (userId === undefined) {
      if (anonymousId !== undefined) return this.ordinal(ANONYMOUS, anonymousId)
      return cookieless === undefined ? NONE : this.ordinal(COOKIELESS, cookieless)
    }
    const user = this.ordinal(USER, userId)
    if (anonymousId !== undefined) this.link(this.ordinal(ANONYMOUS, anonymousId), user)
    if (cookieless !== undefined) this.link(this.ordinal(COOKIELESS, cookieless), user)
    return user
  }

  known(kind: IdentityKind, id: string): number | undefined {
    return this.ordinals[kind].get(id)
  }

  /** What the tables say of an identity. */
  learn(kind: IdentityKind, id: string, ordinal: number): void {
    this.ordinals[kind].set(id, ordinal)
  }

  /**
   * Says anew which user an anonymous identity belongs to, or that it belongs to none: what a correction may change. Both are
   * known, the identity's chunk is here (it was among what was loaded for an event that links it).
   */
  relink(ordinal: number, user: number | undefined): void {
    const at = Math.floor(ordinal / CHUNK)
    const { links } = this.chunk(at)
    if (links.get(ordinal) === user) return
    if (user === undefined) links.delete(ordinal)
    else links.set(ordinal, user)
    this.changedChunks.add(at)
  }

  /** Forgets identities that were written, to stay within bounds; they are looked up again when they come back. */
  forget(): void {
    for (const map of this.ordinals) map.clear()
    this.complete = false
  }

  private ordinal(kind: IdentityKind, id: string): number {
    const known = this.ordinals[kind].get(id)
    if (known !== undefined) return known
    const ordinal = this.size++
    this.ordinals[kind].set(id, ordinal)
    this.added.push([identityKey(kind, id), ordinal])
    const at = Math.floor(ordinal / CHUNK)
    const chunk = this.chunk(at)
    chunk.kinds[ordinal % CHUNK] = kind
    chunk.size = (ordinal % CHUNK) + 1
    this.changedChunks.add(at)
    return ordinal
  }

  private link(ordinal: number, user: number): void {
    const at = Math.floor(ordinal / CHUNK)
    const chunk = this.chunk(at)
    if (chunk.links.has(ordinal)) return
    chunk.links.set(ordinal, user)
    this.changedChunks.add(at)
  }

  private chunk(at: number): PeopleChunk {
    let chunk = this.chunks.get(at)
    if (chunk === undefined) this.chunks.set(at, (chunk = new PeopleChunk()))
    return chunk
  }
}
