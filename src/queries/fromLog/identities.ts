// Every id that names somebody, as one dense number over all kinds, so that visitors and clients need one look-up and one
// column each. Which of them turned out to be users is decided afterwards, over the contents that count in the end.
import type { EventCollected } from '../../events/eventCollected.ts'
import { ownText } from '../../kernel/ownText.ts'
import { ANONYMOUS, COOKIELESS, USER } from '../../projections/visitors/visitors.ts'

/** Beside the kinds of visitors: an explicit session names a client and nobody. */
export const SESSION = 3

export const NOBODY = -1

/** Of one event; NOBODY where it lacks one. */
export interface EventIdentities {
  readonly user: number
  readonly anonymous: number
  readonly cookieless: number
  readonly session: number
}

/** METRICS, Visitor: userId, else anonymousId, else cookieless id. */
export function visitorOf({ user, anonymous, cookieless }: EventIdentities): number {
  if (user !== NOBODY) return user
  return anonymous === NOBODY ? cookieless : anonymous
}

/** METRICS, Visit, and visitRules.ts: sessionId, else anonymousId, else cookieless id, else userId; bots apart from people. */
export function clientOf({ user, anonymous, cookieless, session }: EventIdentities, bot: boolean): number {
  const number = session !== NOBODY ? session : anonymous !== NOBODY ? anonymous : cookieless !== NOBODY ? cookieless : user
  return number === NOBODY ? NOBODY : number * 2 + (bot ? 1 : 0)
}

export class Identities {
  private readonly numbers: readonly Map<string, number>[] = [new Map(), new Map(), new Map(), new Map()]
  private kinds = new Uint8Array(1_024)
  size = 0

  number(kind: number, id: string): number {
    const known = this.numbers[kind]!.get(id)
    if (known !== undefined) return known
    if (this.size === this.kinds.length) {
      const grown = new Uint8Array(this.size * 2)
      grown.set(this.kinds)
      this.kinds = grown
    }
    this.kinds[this.size] = kind
    this.numbers[kind]!.set(ownText(id), this.size)
    return this.size++
  }

  /** The number of an id; NOBODY where no event has it. */
  find(kind: number, id: string): number {
    return this.numbers[kind]!.get(id) ?? NOBODY
  }

  /** The id behind a number; slow, for words about a single one. */
  idOf(number: number): string | undefined {
    for (const [id, found] of this.numbers[this.kindOf(number)]!) if (found === number) return id
    return undefined
  }

  kindOf(number: number): number {
    return this.kinds[number]!
  }

  of({ userId, anonymousId, cookieless, sessionId }: EventCollected): EventIdentities {
    return {
      user: userId === undefined ? NOBODY : this.number(USER, userId),
      anonymous: anonymousId === undefined ? NOBODY : this.number(ANONYMOUS, anonymousId),
      cookieless: cookieless === undefined ? NOBODY : this.number(COOKIELESS, cookieless),
      session: sessionId === undefined ? NOBODY : this.number(SESSION, sessionId),
    }
  }

  /** How many numbers clientOf may have answered. */
  get clients(): number {
    return this.size * 2
  }

  isExplicit(client: number): boolean {
    return this.kindOf(client >>> 1) === SESSION
  }
}
