// Whatever people do, in whatever order and at the same time: an organisation keeps an owner, nobody acts above their role or
// sees what is another's, and a link lets in one. What is held against the fold is counted anew here from the events alone.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { acceptInvitation } from '../../../src/commands/acceptInvitation.ts'
import { changeMemberRole } from '../../../src/commands/changeMemberRole.ts'
import type { Command, Decided } from '../../../src/commands/commandBus.ts'
import { FoldedControl } from '../../../src/commands/controlState.ts'
import { createOrganisation } from '../../../src/commands/createOrganisation.ts'
import { deleteApp } from '../../../src/commands/deleteApp.ts'
import { endAppGrant } from '../../../src/commands/endAppGrant.ts'
import { grantApp } from '../../../src/commands/grantApp.ts'
import { inviteMember } from '../../../src/commands/inviteMember.ts'
import { issueApiKey } from '../../../src/commands/issueApiKey.ts'
import { registerApp } from '../../../src/commands/registerApp.ts'
import { removeMember } from '../../../src/commands/removeMember.ts'
import { revokeInvitation } from '../../../src/commands/revokeInvitation.ts'
import { appsSeenBy, presentScopes, roleOnApp, scopesOf } from '../../../src/commands/roles.ts'
import { signInOwner } from '../../../src/commands/signInOwner.ts'
import { signInWithGoogle } from '../../../src/commands/signInWithGoogle.ts'
import { transferApp } from '../../../src/commands/transferApp.ts'
import { updateOrganisation } from '../../../src/commands/updateOrganisation.ts'
import { Problem } from '../../../src/errors.ts'
import { FIRST_ORGANISATION, GRANT_ROLES, MEMBER_ROLES, type MemberRole, type Role, ROLES } from '../../../src/events/organisations.ts'
import { id, NOW, SECRET } from './given.ts'

type Names = Readonly<Record<'accounts' | 'organisations' | 'apps' | 'hashes', readonly string[]>>
type Decide = (state: FoldedControl, commandId: string) => { events: readonly Decided[]; guards?: readonly string[] }

/** One thing that somebody wants; numbers choose among what is there when it is done. */
interface Wish {
  what: number
  who: number
  whom: number
  where: number
  role: number
  yes: boolean
  /** Decided on the same state as the wish before: the two meet. */
  atOnce: boolean
}

const wish = fc.record<Wish>({
  ...{ what: fc.nat(59), who: fc.nat(9), whom: fc.nat(9), where: fc.nat(9), role: fc.nat(59) },
  ...{ yes: fc.boolean(), atOnce: fc.boolean() },
})

class World {
  state = new FoldedControl(() => 1)
  readonly log: { event: Decided; actor: string | undefined; before: Map<string, MemberRole> }[] = []
  readonly done = new Map<string, number>()
  private commands = 0
  private readonly hashes: string[] = []

  names(): Names {
    const { state } = this
    return {
      accounts: Array.from(state.accounts(), ({ accountId }) => accountId),
      organisations: Array.from(state.organisations(), ({ organisationId }) => organisationId),
      apps: Array.from(state.apps(), ({ appId }) => appId),
      hashes: this.hashes,
    }
  }

  newHash(): string {
    this.hashes.push(String(this.hashes.length).padStart(64, '0'))
    return this.hashes.at(-1)!
  }

  /** As the bus does it: a decision whose streams or guards have moved is taken again. */
  execute(name: string, decide: Decide, actor: string | undefined, versions: (stream: string) => number, decided?: ReturnType<Decide>): void {
    const commandId = id(`command ${this.commands++}`)
    const decision = decided ?? attempt(() => decide(this.state, commandId))
    if (decision === undefined) return
    const streams = [...decision.events.map(({ stream }) => stream), ...(decision.guards ?? [])]
    if (streams.some((stream) => versions(stream) !== this.state.version(stream))) {
      this.execute(name, decide, actor, (stream) => this.state.version(stream))
      return
    }
    const before = this.rolesNow()
    for (const event of decision.events) this.append(event, actor, before)
    this.done.set(name, (this.done.get(name) ?? 0) + 1)
  }

  append(event: Decided, actor: string | undefined, before: Map<string, MemberRole>): void {
    const { type, stream, appId, data } = event
    const position = this.log.push({ event, actor, before })
    const meta = JSON.stringify({ commandId: id(`meta ${position}`), command: 'Any', actor })
    const place = { partition: 0, position, stream, streamVersion: this.state.version(stream) + 1, occurredAt: NOW, recordedAt: NOW }
    this.state.apply({ eventId: id(`event ${position}`), appId, type: type.type, schemaVersion: 1, data, meta, ...place })
  }

  /** From the events alone: who is what, where. */
  rolesNow(): Map<string, MemberRole> {
    const roles = new Map<string, MemberRole>()
    for (const { event } of this.log) {
      const data = event.data as { organisationId: string; accountId: string; role: MemberRole }
      const place = `${data.organisationId} ${data.accountId}`
      if (event.type.type === 'AccountCreated' && (data.role as string | undefined) === 'owner') roles.set(`${FIRST_ORGANISATION} ${data.accountId}`, 'owner')
      else if (event.type.type === 'MemberJoined' || event.type.type === 'MemberRoleChanged') roles.set(place, data.role)
      else if (event.type.type === 'MemberRemoved') roles.delete(place)
    }
    return roles
  }
}

function attempt<T>(decide: () => T): T | undefined {
  try {
    return decide()
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}

function as<Input, Result>(command: Command<Input, Result>, input: Input, actor: string | undefined): [string, Decide, string | undefined] {
  return [command.name, (state, commandId) => command.decide(state, input, { commandId, now: NOW, actor, secret: SECRET }), actor]
}

const pick = <T>(from: readonly T[], at: number): T | undefined => (from.length === 0 ? undefined : from[at % from.length])

/** What a wish comes to, among what there is. Chances are by weight: people come before they can go. */
function commandOf(world: World, { what, who, whom, where, role, yes }: Wish): [string, Decide, string | undefined] {
  const names = world.names()
  const [actor, accountId] = [pick(names.accounts, who), pick(names.accounts, whom) ?? id('nobody')]
  const organisationId = pick(names.organisations, where) ?? id('none')
  const appId = pick(names.apps, where) ?? id('none')
  const memberRole = MEMBER_ROLES[role % MEMBER_ROLES.length]!
  const grantRole = GRANT_ROLES[role % GRANT_ROLES.length]!
  const open = names.hashes.filter((hash) => world.state.invitationByHash(hash)?.state === 'open')
  const link = pick(yes ? open : names.hashes, role)
  const google = { googleId: `g${whom % 7}`, email: `p${whom % 7}@bakery.example`, emailVerified: true, sessionId: id('session') }
  const more = { ...(where % 2 === 0 && link !== undefined ? { invitationHash: link } : {}), ...(role % 3 === 0 ? { hostedDomain: 'bakery.example' } : {}), ownerEmail: 'p0@bakery.example' }
  const choices: [number, () => [string, Decide, string | undefined]][] = [
    [1, () => as(signInOwner, {}, undefined)],
    [9, () => as(signInWithGoogle, { ...google, ...more }, undefined)],
    [3, () => as(createOrganisation, { name: 'O' }, actor)],
    [3, () => as(updateOrganisation, { organisationId, allowedDomains: yes ? [{ domain: 'bakery.example', role: 'viewer' }] : [] }, actor)],
    [9, () => as(inviteMember, { organisationId, role: memberRole, tokenHash: world.newHash(), ...(pick(names.apps, whom) === undefined ? {} : { apps: [{ appId: pick(names.apps, whom)!, role: grantRole }] }) }, actor)],
    [8, () => as(acceptInvitation, { tokenHash: link ?? '0'.repeat(64) }, actor)],
    [2, () => as(revokeInvitation, { organisationId, invitationId: [...world.state.invitationsOf(organisationId)].at(-1)?.invitationId ?? id('none') }, actor)],
    [6, () => as(changeMemberRole, { organisationId, accountId, role: memberRole, adoptKeys: yes && actor !== accountId }, actor)],
    [5, () => as(removeMember, { organisationId, accountId, adoptKeys: yes && actor !== accountId }, actor)],
    [4, () => as(registerApp, { name: 'A', organisationId }, actor)],
    [3, () => as(issueApiKey, { appId, scopes: [(['collect', 'query', 'people'] as const)[role % 3]!] }, actor)],
    [3, () => as(grantApp, { appId, accountId, role: grantRole }, actor)],
    [1, () => as(endAppGrant, { appId, accountId }, actor)],
    [2, () => as(transferApp, { appId, organisationId: pick(names.organisations, whom)! }, actor)],
    [1, () => as(deleteApp, { appId }, actor)],
  ]
  let left = what
  for (const [weight, make] of choices) if ((left -= weight) < 0) return make()
  throw new Error('the weights make less than what is wished')
}

/** Two organisations with an app each, and somebody of their own. */
function founded(): World {
  const world = new World()
  const now = (stream: string): number => world.state.version(stream)
  const run = (...[name, decide, actor]: ReturnType<typeof as>): void => { world.execute(name, decide, actor, now) }
  run(...as(signInOwner, {}, undefined))
  const [owner] = world.names().accounts
  run(...as(createOrganisation, { name: 'O' }, owner))
  for (const [index, organisationId] of world.names().organisations.entries()) {
    run(...as(registerApp, { name: 'A', organisationId }, owner))
    run(...as(inviteMember, { organisationId, role: index === 0 ? 'admin' : 'owner', tokenHash: world.newHash() }, owner))
    const google = { googleId: `g${index}`, email: `p${index}@bakery.example`, emailVerified: true, sessionId: id('session') }
    run(...as(signInWithGoogle, { ...google, invitationHash: world.names().hashes.at(-1)! }, undefined))
  }
  world.done.clear()
  return world
}

function live(wishes: readonly Wish[]): World {
  const world = founded()
  let last: { versions: Map<string, number>; replay: () => FoldedControl } | undefined
  for (const each of wishes) {
    const [name, decide, actor] = commandOf(world, each)
    const streams = new Map(world.log.map(({ event: { stream } }) => [stream, world.state.version(stream)]))
    const length = world.log.length
    if (each.atOnce && last !== undefined) {
      const { versions, replay } = last
      const decided = attempt(() => decide(replay(), id(`at once ${length}`)))
      if (decided !== undefined) world.execute(name, decide, actor, (stream) => versions.get(stream) ?? 0, decided)
    } else world.execute(name, decide, actor, (stream) => world.state.version(stream))
    last = { versions: streams, replay: () => replayed(world, length) }
    hold(world, length)
  }
  return world
}

/** The state as it was when the log was so long. */
function replayed(world: World, length: number): FoldedControl {
  const past = new World()
  for (const { event, actor, before } of world.log.slice(0, length)) past.append(event, actor, before)
  return past.state
}

function hold(world: World, since: number): void {
  const roles = world.rolesNow()
  ownersStay(world, roles)
  nobodyActsAbove(world, since)
  rolesAreWhatWasGiven(world, roles)
  linksWorkOnce(world)
}

function ownersStay(world: World, roles: Map<string, MemberRole>): void {
  for (const organisationId of world.names().organisations) {
    const had = world.log.some(({ event }) => event.type.type === 'AccountCreated') || organisationId !== FIRST_ORGANISATION
    const owners = [...roles].filter(([place, role]) => place.startsWith(organisationId) && role === 'owner')
    if (had) assert.ok(owners.length > 0, `${organisationId} has no owner`)
  }
}

function nobodyActsAbove(world: World, since: number): void {
  for (const { event, actor, before } of world.log.slice(since)) {
    const { organisationId, accountId, role } = event.data as { organisationId: string; accountId: string; role?: MemberRole }
    const rank = (account: string | undefined) => MEMBER_ROLES.indexOf(before.get(`${organisationId} ${account}`)!)
    const { type } = event.type
    if (type === 'MemberInvited' || type === 'MemberRoleChanged') assert.ok(rank(actor) >= MEMBER_ROLES.indexOf(role!) && rank(actor) >= MEMBER_ROLES.indexOf('admin'), type)
    if (type === 'MemberRemoved' || type === 'MemberRoleChanged') assert.ok(actor === accountId || (rank(actor) >= rank(accountId) && rank(actor) >= MEMBER_ROLES.indexOf('admin')), type)
  }
}

function rolesAreWhatWasGiven(world: World, roles: Map<string, MemberRole>): void {
  const { state } = world
  for (const app of state.apps()) {
    for (const { accountId } of state.accounts()) {
      const member = app.deleted ? undefined : roles.get(`${app.organisationId} ${accountId}`)
      const granted = member === undefined ? undefined : grantNow(world, app.appId, app.organisationId, accountId)
      const most = Math.max(ROLES.indexOf(member as Role), ROLES.indexOf(granted as Role))
      assert.equal(roleOnApp(state, app, accountId), ROLES[most], 'a role is what membership and grant say')
      assert.equal([...appsSeenBy(state, accountId)].includes(app), most >= 0)
    }
    for (const key of state.keysOf(app.appId)) {
      const allowed = scopesOf(roleOnApp(state, app, key.issuedBy))
      assert.ok(presentScopes(state, key).every((scope) => allowed.includes(scope)), 'a key does no more than its issuer')
    }
  }
}

/** From the events alone: what was granted since the member last left, the app last moved. */
function grantNow(world: World, appId: string, organisationId: string, accountId: string): string | undefined {
  let grant: string | undefined
  for (const { event } of world.log) {
    const data = event.data as { appId?: string; organisationId?: string; accountId?: string; role?: string }
    const { type } = event.type
    if (type === 'AppGranted' && data.appId === appId && data.accountId === accountId) grant = data.role
    if (type === 'AppGrantEnded' && data.appId === appId && data.accountId === accountId) grant = undefined
    if (type === 'MemberRemoved' && data.organisationId === organisationId && data.accountId === accountId) grant = undefined
    if (type === 'AppTransferred' && data.appId === appId) grant = undefined
  }
  return grant
}

function linksWorkOnce(world: World): void {
  const ended = new Set<string>()
  let [used, joined] = [0, 0]
  for (const { event } of world.log) {
    const { invitationId, through } = event.data as { invitationId: string; through?: string }
    const { type } = event.type
    if (type === 'MemberJoined' && through === 'invitation') joined++
    if (type === 'InvitationAccepted') used++
    if (type !== 'InvitationAccepted' && type !== 'InvitationRevoked') continue
    assert.ok(!ended.has(invitationId), 'what has ended does not end again')
    ended.add(invitationId)
  }
  assert.equal(joined, used, 'as many joined by a link as links were used')
}

describe('whatever people do', () => {
  it('somebody owns each organisation, nobody acts above their role, nobody sees what is another\'s, links work once', function () {
    this.timeout(60_000)
    const done = new Map<string, number>()
    const property = fc.property(fc.array(wish, { minLength: 20, maxLength: 50 }), (wishes) => {
      for (const [name, times] of live(wishes).done) done.set(name, (done.get(name) ?? 0) + times)
    })
    fc.assert(property, { numRuns: 100 })
    assert.equal(done.size, 15, `only these came about: ${[...done].join(' ')}`)
  })
})
