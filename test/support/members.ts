// A member of the first organisation, with a user token, as a sign-in through an invitation would have made one: written into the
// log directly, because no provider of identities takes part.
import { createCommandBus } from '../../src/commands/bus.ts'
import type { Command } from '../../src/commands/commandBus.ts'
import { createKeyring } from '../../src/commands/foldedKeyring.ts'
import { accountCreated } from '../../src/events/accountCreated.ts'
import { memberJoined } from '../../src/events/memberJoined.ts'
import { openEventLog } from '../../src/events/openEventLog.ts'
import { FIRST_ORGANISATION, type MemberRole } from '../../src/events/organisations.ts'
import { createTokens } from '../../src/http/tokens.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { openDatabase } from '../../src/kernel/database/open.ts'
import { NIL_UUID, uuidv7 } from '../../src/kernel/ids.ts'
import { silentLogger } from '../../src/kernel/logger.ts'

export interface Member {
  readonly organisationId: string
  readonly accountId: string
  readonly sessionId: string
  readonly token: string
}

interface Enrolled {
  accountId: string
  role: MemberRole
}

const enrol: Command<Enrolled, Enrolled> = {
  name: 'Enrol',
  schema: {},
  decide(_state, { accountId, role }) {
    const joined = { organisationId: FIRST_ORGANISATION, accountId, role, through: 'invitation' }
    return {
      events: [
        { type: accountCreated, stream: `account:${accountId}`, appId: NIL_UUID, data: { accountId, email: `${accountId}@example.com` } },
        { type: memberJoined, stream: `organisation:${FIRST_ORGANISATION}`, appId: NIL_UUID, data: joined },
      ],
      result: { accountId, role },
    }
  },
}

export async function addMember({ databaseUrl, jwtSecret }: { databaseUrl: string; jwtSecret: string }, role: MemberRole): Promise<Member> {
  const accountId = uuidv7()
  const sessionId = uuidv7()
  const database = await openDatabase(databaseUrl)
  const log = await openEventLog(database, { url: databaseUrl, partitions: 8 })
  try {
    const keyring = createKeyring({ log, logger: silentLogger })
    const bus = createCommandBus({ log, queue: { appendControl: (append) => log.append(append) }, keyring, clock: systemClock, logger: silentLogger })
    await bus.execute(enrol, { accountId, role }, { actor: undefined })
  } finally {
    await log.close()
    await database.close()
  }
  const { token } = createTokens({ jwtSecret }, systemClock).issueUser({ accountId, sessionId, generation: 0 })
  return { organisationId: FIRST_ORGANISATION, accountId, sessionId, token }
}
