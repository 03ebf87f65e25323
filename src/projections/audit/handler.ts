// How one event type gets into the audit log: what it needs to know, and what it says.
import type { FoldEvent } from '../../events/catalogue.ts'
import type { EventType } from '../../events/eventType.ts'
import type { Change, Folding } from './change.ts'
import type { Wanted } from './subjects.ts'

export interface Handler {
  readonly type: string
  /** Names what `tell` asks the subjects for. */
  want(data: unknown, wanted: Wanted): void
  /** Moves the subjects and tells what changed, mostly once, and once for each side where two sides must not see the same. */
  tell(folding: Folding, data: unknown, event: FoldEvent): readonly Change[]
}

export function on<Data>(
  type: EventType<Data>,
  want: (data: Data, wanted: Wanted) => void,
  tell: (folding: Folding, data: Data, event: FoldEvent) => readonly Change[],
): Handler {
  return { type: type.type, want: (data, wanted) => want(data as Data, wanted), tell: (folding, data, event) => tell(folding, data as Data, event) }
}
