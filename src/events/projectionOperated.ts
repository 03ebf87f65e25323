// Somebody who runs the installation worked on a read model over HTTP: on record like everything on the control plane.
import { eventType } from './eventType.ts'
import { objectSchema, uuid } from './schemas.ts'

export const PROJECTION_ACTIONS = ['rebuild', 'trial', 'pause', 'drop', 'switch', 'rollback'] as const

export interface ProjectionOperated {
  projection: string
  action: (typeof PROJECTION_ACTIONS)[number]
  /** Of a rebuild of one app. */
  appId?: string
  build?: number
}

export const projectionOperated = eventType<ProjectionOperated>(
  'ProjectionOperated',
  objectSchema(
    {
      projection: { type: 'string', pattern: '^[A-Za-z]{1,64}$' },
      action: { type: 'string', enum: PROJECTION_ACTIONS },
      appId: uuid,
      build: { type: 'integer', minimum: 1 },
    },
    ['projection', 'action'],
  ),
)
