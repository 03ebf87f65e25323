// Puts on record that somebody works on a read model, and refuses whoever does not run the installation. The work itself is
// done afterwards, by whoever called.
import { Problem } from '../errors.ts'
import { PROJECTION_ACTIONS, projectionOperated, type ProjectionOperated } from '../events/projectionOperated.ts'
import { FIRST_ORGANISATION } from '../events/organisations.ts'
import { objectSchema, uuid } from '../events/schemas.ts'
import { NIL_UUID } from '../kernel/ids.ts'
import type { Command } from './commandBus.ts'
import { actingAccount, isOperator } from './roles.ts'

export type OperateProjection = ProjectionOperated

export const operateProjection: Command<OperateProjection, { projection: string }> = {
  name: 'OperateProjection',
  schema: {
    ...objectSchema(
      {
        projection: { type: 'string', pattern: '^[A-Za-z]{1,64}$', 'x-words': 'the name of a projection' },
        action: { type: 'string', enum: PROJECTION_ACTIONS },
        appId: uuid,
        build: { type: 'integer', minimum: 1 },
      },
      ['projection', 'action'],
    ),
    ...{ title: 'OperateProjection', description: 'What is done to a read model.' },
  },
  decide(state, input, context) {
    if (!isOperator(state, actingAccount(state, context))) throw new Problem('forbidden', 'Only owners of the first organisation may work on read models')
    const { projection, appId } = input
    if (appId !== undefined && state.app(appId) === undefined) throw new Problem('not_found', 'There is no such app')
    return {
      events: [{ type: projectionOperated, stream: `projection:${projection}`, appId: appId ?? NIL_UUID, data: input }],
      result: { projection },
      guards: [`organisation:${FIRST_ORGANISATION}`],
    }
  },
}
