// Organisations with their members, invitations and the grants on their apps, folded from the control partition: what people
// are shown of who may do what. Decisions are never taken from here but from the keyring, which does not lag.
import type { Projection } from '../projection.ts'
import { FOLDED, foldPeople } from './fold.ts'
import { loadPeopleRows, newPeopleRows, type PeopleRows, TABLES, writePeopleRows } from './state.ts'

export const organisations: Projection<PeopleRows, null> = {
  name: 'organisations',
  codeVersion: 1,
  source: 'control',
  eventTypes: FOLDED,
  tables: Object.values(TABLES),
  memory: () => null,
  start: newPeopleRows,
  load: loadPeopleRows,
  fold(state, events) {
    // Of what was redacted nothing is left to fold.
    for (const event of events) if (event.data !== null) foldPeople(state, event)
  },
  write: writePeopleRows,
}
