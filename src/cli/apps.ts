// Finds the app that a command line means, or registers it. Whoever can open the stores acts as the owner.
import { registerApp, type RegisterApp } from '../commands/registerApp.ts'
import type { AppState } from '../commands/keyring.ts'
import { organisationOwner } from '../commands/organisationOwner.ts'
import { FIRST_ORGANISATION } from '../events/organisations.ts'
import { CommandFailed } from './exitCodes.ts'
import type { Stores } from './stores.ts'

/** By id, or by name where only one app that is not deleted bears it. */
export function findApp({ keyring }: Pick<Stores, 'keyring'>, idOrName: string): AppState {
  const byId = keyring.state.app(idOrName.toLowerCase())
  if (byId?.deleted === true) throw new CommandFailed(`app ${idOrName} is deleted`)
  if (byId !== undefined) return byId
  const named = appsNamed({ keyring }, idOrName)
  if (named.length === 1) return named[0]!
  if (named.length > 1) throw new CommandFailed(`${named.length} apps are called "${idOrName}"; name one by its id: ${named.map(({ appId }) => appId).join(', ')}`)
  const known = [...keyring.state.apps()].filter(({ deleted }) => !deleted).slice(0, 10)
  const list = known.length === 0 ? 'there is none yet; --create-app makes one' : `there are ${known.map(({ name, appId }) => `${name} (${appId})`).join(', ')}`
  throw new CommandFailed(`no app has the id or name "${idOrName}"; ${list}`)
}

/** The one app of this name in the first organisation; registered if there is none. Its settings stand in its own partition then. */
export async function findOrRegisterApp(stores: Stores, input: RegisterApp): Promise<AppState> {
  const { keyring, bus, relay } = stores
  const named = appsNamed(stores, input.name).filter(({ organisationId }) => organisationId === FIRST_ORGANISATION)
  if (named.length === 1) return named[0]!
  if (named.length > 1) return findApp(stores, input.name)
  const { appId } = await bus.execute(registerApp, { ...input, organisationId: FIRST_ORGANISATION }, { actor: await organisationOwner(stores) })
  await keyring.refresh()
  await relay.apply(appId)
  return keyring.state.app(appId)!
}

function appsNamed({ keyring }: Pick<Stores, 'keyring'>, name: string): AppState[] {
  return [...keyring.state.apps()].filter((app) => !app.deleted && app.name === name)
}
