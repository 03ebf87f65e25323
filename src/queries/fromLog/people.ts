// Whom a visitor counts as, over all history up to the position: an id that was seen together with a userId is that user from
// its first event on. Of several such users the one of the event collected first wins (METRICS, Visitor).
import { NOBODY } from './identities.ts'
import { IN_FORCE, type Rows } from './rows.ts'

/** By identity: the identity it counts as. */
export function peopleOf(rows: Rows): Int32Array {
  const people = new Int32Array(rows.identities.size)
  for (let identity = 0; identity < people.length; identity++) people[identity] = identity
  if (!rows.hasLinks) return people
  const link = (identity: number, user: number): void => {
    if (identity !== NOBODY && people[identity] === identity) people[identity] = user
  }
  for (let row = 0; row < rows.count; row++) {
    if ((rows.flags[row]! & IN_FORCE) === 0) continue
    const [anonymous, cookieless] = rows.linked(row)
    const user = rows.visitor[row]!
    link(anonymous, user)
    link(cookieless, user)
  }
  return people
}
