// What one person did, seen again in the log: one pass says which contents are theirs, with links, corrections and the
// question's own conditions applied, and a second looks at those alone, so that no more of everybody else is kept than codes.
import { setImmediate } from 'node:timers/promises'
import { NIL_UUID } from '../../kernel/ids.ts'
import { LIMITS } from '../../limits.ts'
import { sighted } from '../../projections/userStats/inverse.ts'
import { nobody, type Person, see } from '../../projections/userStats/person.ts'
import { spelledOut } from '../../projections/userStats/recent.ts'
import { USER } from '../../projections/visitors/visitors.ts'
import type { StatsQuestion } from '../stats.ts'
import { type UserStats, userStatsBody } from '../userStats.ts'
import type { RowTest } from './conditions.ts'
import type { Gathered } from './gathered.ts'
import { NOBODY } from './identities.ts'
import type { LogAnswerOptions, LogSource } from './logSource.ts'
import { contentIn } from './readRows.ts'

type Question = Extract<StatsQuestion, { readonly name: 'user-stats' }>

/** Throws Problem `not_found` where no such event is theirs. */
export async function userStatsOf(log: LogSource, gathered: Gathered, question: Question, options: LogAnswerOptions): Promise<UserStats> {
  const person = await seen(log, gathered, question, options)
  const recent = []
  for (const entry of person.recent) {
    const [event] = await log.readApp(question.appId, entry.position - 1, 1)
    recent.push({ ...spelledOut(entry), id: event!.eventId })
  }
  return userStatsBody(question.userId, person, recent)
}

export function personTest({ rows, people }: Gathered, { userId }: Question): RowTest {
  const user = rows.identities.find(USER, userId)
  return (row) => user !== NOBODY && rows.visitor[row] !== NOBODY && people[rows.visitor[row]!] === user
}

/** Where the contents stand that are theirs and count, ascending. */
function contentPositions(gathered: Gathered, question: Question): Float64Array {
  const { rows, wanted, passes } = gathered
  const isTheirs = personTest(gathered, question)
  const positions = rows.position.slice(0, rows.count)
  let count = 0
  for (let row = 0; row < rows.count; row++) if (wanted(row) && isTheirs(row) && passes(row)) positions[count++] = rows.contentPosition(row)
  return positions.subarray(0, count).sort()
}

/** The ids of their recent events are left open. */
async function seen(log: LogSource, gathered: Gathered, question: Question, { signal }: LogAnswerOptions): Promise<Person> {
  const person = nobody()
  const positions = contentPositions(gathered, question)
  let next = 0
  while (next < positions.length) {
    signal?.throwIfAborted()
    const page = await log.scan(question.appId, positions[next]! - 1, LIMITS.readPageEvents)
    if (page.length === 0) throw new RangeError(`nothing stands at position ${positions[next]!} of the log any more`)
    for (const event of page) {
      if (event.position !== positions[next]) continue
      next += 1
      // What was erased since is nobody's.
      const content = contentIn(event)
      if (content !== undefined) see(person, sighted(NIL_UUID, content))
    }
    await setImmediate()
  }
  return person
}
