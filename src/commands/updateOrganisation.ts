// Changes an organisation's name, or whose domains may join it; what stays the same is not written.
import { isDeepStrictEqual } from 'node:util'
import { type Fault, Problem } from '../errors.ts'
import { organisationUpdated, type OrganisationUpdated } from '../events/organisationUpdated.ts'
import { allowedDomains, type AllowedDomain } from '../events/organisations.ts'
import { objectSchema, uuid } from '../events/schemas.ts'
import { NIL_UUID } from '../kernel/ids.ts'
import type { Command } from './commandBus.ts'
import { organisationName } from './createOrganisation.ts'
import type { ControlState, OrganisationState } from './keyring.ts'
import { actingAccount, isOperator, organisationFor } from './roles.ts'

export interface UpdateOrganisation {
  organisationId: string
  name?: string
  allowedDomains?: AllowedDomain[]
}

const properties = {
  name: organisationName,
  allowedDomains: {
    ...allowedDomains,
    description: 'Domains whose people join when they first sign in with an account that the domain\'s company manages at Google, and what they become. Of an organisation other than the first: the domain of your own e-mail address.',
  },
} as const

/** What a client sends; the organisation is named by the route. */
export const updateOrganisationBody = {
  ...objectSchema(properties, []),
  ...{ minProperties: 1, title: 'UpdateOrganisationBody', description: 'What to change of an organisation; the rest stays as it is.' },
  examples: [{ allowedDomains: [{ domain: 'bakery.example', role: 'viewer' }] }],
}

export const updateOrganisation: Command<UpdateOrganisation, { organisationId: string }> = {
  name: 'UpdateOrganisation',
  schema: {
    ...objectSchema({ organisationId: uuid, ...properties }, ['organisationId']),
    ...{ title: 'UpdateOrganisation', description: 'What to change of an organisation; the rest stays as it is.' },
  },
  decide(state, input, context) {
    const actor = actingAccount(state, context)
    const { organisation } = organisationFor(state, input.organisationId, actor, 'owner')
    refuseTwice(input.allowedDomains ?? [])
    refusePublic(input.allowedDomains ?? [])
    if (!isOperator(state, actor)) refuseOthersDomains(state, actor, organisation, input.allowedDomains ?? [])
    const { organisationId } = organisation
    const name = input.name?.trim()
    const domains = input.allowedDomains
    const data: OrganisationUpdated = {
      organisationId,
      ...(name === undefined || name === organisation.name ? {} : { name }),
      ...(domains === undefined || isDeepStrictEqual(domains, organisation.allowedDomains) ? {} : { allowedDomains: domains }),
    }
    const changed = Object.keys(data).length > 1
    return {
      events: changed ? [{ type: organisationUpdated, stream: `organisation:${organisationId}`, appId: NIL_UUID, data }] : [],
      result: { organisationId },
    }
  },
}

/** Else anybody with an organisation could have another company's newcomers join it, and read in its audit log when they sign in. */
function refuseOthersDomains(state: ControlState, actor: string, { allowedDomains: before }: OrganisationState, domains: readonly AllowedDomain[]): void {
  const own = state.account(actor)?.email?.split('@').at(-1)?.toLowerCase()
  domains.forEach(({ domain }, index) => {
    if (domain === own || before.some((known) => known.domain === domain)) return
    const detail = 'is not the domain of your own e-mail address: ask those who run the installation to allow it'
    throw new Problem('forbidden', `${domain} ${detail}`, { errors: [{ path: `/allowedDomains/${index}/domain`, detail }] })
  })
}

// Of whoever has an address there, Google names no domain: nobody would ever come in by them.
const PUBLIC = new Set(
  'gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com icloud.com me.com mac.com proton.me protonmail.com aol.com gmx.de gmx.net web.de mail.ru yandex.ru qq.com 163.com'.split(' '),
)

function refusePublic(domains: readonly AllowedDomain[]): void {
  const errors: Fault[] = []
  domains.forEach(({ domain }, index) => {
    if (PUBLIC.has(domain)) errors.push({ path: `/allowedDomains/${index}/domain`, detail: 'is open to everybody, and Google never names it as a company\'s: invite people one by one' })
  })
  if (errors.length > 0) throw new Problem('invalid_body', undefined, { errors })
}

function refuseTwice(domains: readonly AllowedDomain[]): void {
  const errors: Fault[] = []
  domains.forEach(({ domain }, index) => {
    if (domains.findIndex((other) => other.domain === domain) < index) errors.push({ path: `/allowedDomains/${index}/domain`, detail: 'is there twice' })
  })
  if (errors.length > 0) throw new Problem('invalid_body', undefined, { errors })
}
