// Whom a question about one person means: a userId, or an anonymousId and the user it turned out to belong to; with all other
// ids that are linked to that user.
import { Problem } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import type { VisitCursor } from '../projections/web/visitsRead.ts'
import { ANONYMOUS, USER } from '../projections/visitors/visitors.ts'
import { readOrdinal, readPeople } from '../projections/web/people.ts'
import type { Snapshot } from './query.ts'

export interface PersonParams {
  readonly userId?: string
  readonly anonymousId?: string
}

const id = { type: 'string', minLength: 1, maxLength: LIMITS.identityChars } as const

/** Parameters of every question about a person: one of the two. */
export const PERSON_PROPERTIES = {
  userId: { ...id, description: 'As the app sends it. This or anonymousId.', example: 'user789' },
  anonymousId: { ...id, description: 'Of somebody who is no user yet, or of one who is: both have the same visits.', example: 'b1946ac9-2492-4d23-a84b-6d2f4f1c9a55' },
} as const

/** Every ordinal of the person. Throws Problem `invalid_parameter`, and `not_found` where nobody was counted by that id. */
export async function personOf(snapshot: Snapshot, { userId, anonymousId }: PersonParams): Promise<ReadonlySet<number>> {
  if ((userId === undefined) === (anonymousId === undefined)) {
    throw new Problem('invalid_parameter', undefined, { errors: [{ path: 'userId', detail: userId === undefined ? 'is required, unless anonymousId is given' : 'goes without anonymousId' }] })
  }
  const ordinal = userId === undefined ? await readOrdinal(snapshot, ANONYMOUS, anonymousId!) : await readOrdinal(snapshot, USER, userId)
  if (ordinal === undefined) throw new Problem('not_found', `nobody with this ${userId === undefined ? 'anonymousId' : 'userId'} was counted`)
  const { person } = await readPeople(snapshot)
  const who = person[ordinal]!
  const ordinals = new Set<number>()
  person.forEach((user, of) => {
    if (user === who) ordinals.add(of)
  })
  return ordinals
}

/** A visit as a cursor names it. */
export function cursorOf({ startMs, client }: VisitCursor): string {
  return `${startMs}.${client.toString('base64url')}`
}

/** Undefined for what is no such cursor. */
export function visitCursor(text: string): VisitCursor | undefined {
  const match = /^(\d{1,15})\.([\w-]{22})$/.exec(text)
  return match === null ? undefined : { startMs: Number(match[1]), client: Buffer.from(match[2]!, 'base64url') }
}

export function notACursor(): Problem {
  return new Problem('invalid_parameter', undefined, { errors: [{ path: 'cursor', detail: 'is not a cursor of this list' }] })
}
