// What all commands about definitions share: the one stream they decide on, its fold, and the bounds that hold for every
// definition.
import { Problem } from '../errors.ts'
import type { FoldEvent } from '../events/catalogue.ts'
import { allOf, type Definition, type Definitions, definitionsStream, foldDefinitions, type Kind } from '../events/definitions.ts'
import type { DefinitionSaid } from '../events/definitionSpecs.ts'
import type { EventType, JsonSchema } from '../events/eventType.ts'
import { uuidv5 } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import type { AppCommand } from './appCommand.ts'
import { nameOf } from './definitionInput.ts'

export interface DefinitionAnswer {
  definitionId: string
  kind: Kind
  revision: number
}

export const definitionStream = {
  stream: (appId: string): string => definitionsStream(appId),
  state: (_log: unknown, _appId: string, _input: unknown, history: readonly FoldEvent[]): Promise<Definitions> =>
    Promise.resolve(foldDefinitions(history)),
}

/** A command that begins a definition of one kind. */
export function defineCommand<Spec extends Definition['spec']>(options: {
  readonly name: string
  readonly kind: Kind
  readonly type: EventType<DefinitionSaid<Spec>>
  readonly schema: JsonSchema
  /** Throws Problem. */
  readonly checked: (given: Spec) => Spec
}): AppCommand<Spec, Definitions, DefinitionAnswer> {
  const { name, kind, type, schema, checked } = options
  return {
    name,
    schema,
    ...definitionStream,
    decide(definitions, appId, input, { commandId }) {
      const spec = checked(input)
      const definitionId = uuidv5(commandId, 'definition')
      if (allOf(definitions).length >= LIMITS.definitionsPerApp) {
        throw new Problem('limit_reached', `An app has at most ${LIMITS.definitionsPerApp} definitions; retire one first`)
      }
      refuseSameName(definitions, { definitionId, kind, spec })
      const data: DefinitionSaid<Spec> = { definitionId, revision: 1, spec }
      return { events: [{ type, stream: definitionsStream(appId), appId, data }], result: { definitionId, kind, revision: 1 } }
    },
  }
}

/** Throws `already_defined` where another one of the kind in force has the name. */
export function refuseSameName(definitions: Definitions, one: Pick<Definition, 'definitionId' | 'kind' | 'spec'>): void {
  const same = allOf(definitions).find((other) => other.kind === one.kind && other.definitionId !== one.definitionId && nameOf(other) === nameOf(one))
  if (same !== undefined) throw new Problem('already_defined', `There is a ${one.kind} of this name already: ${same.definitionId}`)
}

/** What is in force under an id. Throws `not_found`. */
export function inForce(definitions: Definitions, definitionId: string): Definition {
  const found = allOf(definitions).find((definition) => definition.definitionId === definitionId)
  if (found === undefined) throw new Problem('not_found', 'There is no such definition in force')
  return found
}
