// Which organisations a command lets somebody join. Who comes for the first time is created, and signs in, in one append with
// joining; the organisation they join sees all of it, also what comes before the joining. An append is in the log as a whole or
// not at all, so looking ahead to its end finds the same wherever a stretch ends.
import type { FoldEvent } from '../../events/catalogue.ts'
import { parseCommandMeta } from '../../events/commandMeta.ts'
import { memberJoined, type MemberJoined } from '../../events/memberJoined.ts'
import { LIMITS } from '../../limits.ts'
import type { EventReader } from '../projection.ts'

const AHEAD = 100

export class Joins {
  /** By command and account. */
  private readonly organisations = new Map<string, Set<string>>()

  /** Those of the commands in these events, to the end of the last. */
  async load(events: readonly FoldEvent[], reader: EventReader): Promise<void> {
    for (const event of events) this.note(event)
    const last = events.at(-1)
    const command = last === undefined ? undefined : commandOf(last)
    if (last === undefined || command === undefined) return
    for (let position = last.position + 1; position <= last.position + LIMITS.appendMaxEvents; position += AHEAD) {
      const found = await reader.at(Array.from({ length: AHEAD }, (_, index) => position + index))
      const rest = [...found.values()].sort((a, b) => a.position - b.position)
      const end = rest.findIndex((event) => commandOf(event) !== command)
      for (const event of end < 0 ? rest : rest.slice(0, end)) this.note(event)
      if (end >= 0 || rest.length < AHEAD) return
    }
  }

  with(event: FoldEvent, accountId: string): Iterable<string> {
    const command = commandOf(event)
    return command === undefined ? [] : (this.organisations.get(`${command} ${accountId}`) ?? [])
  }

  private note(event: FoldEvent): void {
    const command = commandOf(event)
    if (command === undefined || event.type !== memberJoined.type) return
    const joined = readable(event) as MemberJoined | null
    if (joined === null) return
    const { accountId, organisationId } = joined
    const key = `${command} ${accountId}`
    const known = this.organisations.get(key)
    if (known === undefined) this.organisations.set(key, new Set([organisationId]))
    else known.add(organisationId)
  }
}

/** What cannot be read needs nothing: folding it fails, and it is set aside. */
export function readable(event: FoldEvent): unknown {
  try {
    return event.data
  } catch {
    return null
  }
}

function commandOf(event: FoldEvent): string | undefined {
  return parseCommandMeta(event.meta)?.commandId
}
