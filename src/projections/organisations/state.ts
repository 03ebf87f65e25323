// What one stretch of the log works on, and what of the tables it needs first. Everything is found by ids, so that a stretch
// costs what it says and not what there is.
import type { Knex } from 'knex'
import { accountCreated } from '../../events/accountCreated.ts'
import { appDeleted } from '../../events/appDeleted.ts'
import { appTransferred } from '../../events/appTransferred.ts'
import type { FoldEvent } from '../../events/catalogue.ts'
import { memberRemoved } from '../../events/memberRemoved.ts'
import { FIRST_ORGANISATION } from '../../events/organisations.ts'
import { type AccountRow, type GrantRow, type InvitationRow, type MemberRow, type OrganisationRow, type OwnedAppRow, RowsById } from './rows.ts'

export const TABLES = {
  organisations: { name: 'organisations', key: ['organisation_id'] },
  accounts: { name: 'accounts', key: ['account_id'] },
  members: { name: 'members', key: ['organisation_id', 'account_id'] },
  invitations: { name: 'invitations', key: ['organisation_id', 'invitation_id'] },
  grants: { name: 'app_grants', key: ['app_id', 'account_id'] },
  apps: { name: 'organisation_apps', key: ['app_id'] },
} as const

export interface PeopleRows {
  readonly organisations: RowsById<OrganisationRow>
  readonly accounts: RowsById<AccountRow>
  readonly members: RowsById<MemberRow>
  readonly invitations: RowsById<InvitationRow>
  readonly grants: RowsById<GrantRow>
  /** Whose each app is. */
  readonly apps: RowsById<OwnedAppRow>
}

export function newPeopleRows(): PeopleRows {
  return {
    organisations: new RowsById(TABLES.organisations),
    accounts: new RowsById(TABLES.accounts),
    members: new RowsById(TABLES.members),
    invitations: new RowsById(TABLES.invitations),
    grants: new RowsById(TABLES.grants),
    apps: new RowsById(TABLES.apps),
  }
}

export async function writePeopleRows(trx: Knex.Transaction, build: number, state: PeopleRows): Promise<void> {
  for (const rows of Object.values(state) as RowsById<object>[]) await rows.write(trx, build)
}

/** The ids that events of these types name. */
interface Named {
  readonly organisationId?: string
  readonly accountId?: string
  readonly invitationId?: string
  readonly appId?: string
}

export async function loadPeopleRows(db: Knex, build: number, state: PeopleRows, events: readonly FoldEvent[]): Promise<void> {
  const keys = { organisations: new Set<string>(), accounts: new Set<string>(), members: [] as string[][], invitations: [] as string[][], grants: [] as string[][] }
  const apps = new Set<string>()
  const removed = new Set<string>()
  const emptied = new Set<string>()
  for (const event of events) {
    const { organisationId, accountId, invitationId, appId } = namedIn(event)
    const organisation = event.type === accountCreated.type ? FIRST_ORGANISATION : organisationId
    if (organisation !== undefined) keys.organisations.add(organisation)
    if (accountId !== undefined) keys.accounts.add(accountId)
    if (organisation !== undefined && accountId !== undefined) keys.members.push([organisation, accountId])
    if (organisation !== undefined && invitationId !== undefined) keys.invitations.push([organisation, invitationId])
    if (appId !== undefined) apps.add(appId)
    if (appId !== undefined && accountId !== undefined) keys.grants.push([appId, accountId])
    if (event.type === memberRemoved.type && accountId !== undefined) removed.add(accountId)
    if ((event.type === appTransferred.type || event.type === appDeleted.type) && appId !== undefined) emptied.add(appId)
  }
  await state.organisations.load(db, build, single(keys.organisations))
  await state.accounts.load(db, build, single(keys.accounts))
  await state.members.load(db, build, keys.members)
  await state.invitations.load(db, build, keys.invitations)
  await state.grants.load(db, build, keys.grants)
  await state.grants.loadBy(db, build, 'account_id', removed)
  await state.grants.loadBy(db, build, 'app_id', emptied)
  // Whose the apps of those grants are decides which of them go with a member.
  for (const [[appId]] of state.grants.all()) apps.add(appId!)
  await state.apps.load(db, build, single(apps))
}

function* single(ids: Iterable<string>): Iterable<readonly string[]> {
  for (const id of ids) yield [id]
}

// What cannot be read needs nothing: folding it fails, and it is set aside.
function namedIn(event: FoldEvent): Named {
  try {
    return event.data ?? {}
  } catch {
    return {}
  }
}
