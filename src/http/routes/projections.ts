// Read models for whoever runs the installation: what there is, how far behind it is, and rebuilding it while it serves. What
// is done to one is on record before it begins, as the audit log shows, and what is refused leaves no record. Progress is a
// stream of server-sent events that ends when its reader may no longer see it.
import { type Request, type Response, Router } from 'express'
import { Problem } from '../../errors.ts'
import { LIMITS } from '../../limits.ts'
import { writeAnswer } from '../answers.ts'
import type { Keyring } from '../../commands/keyring.ts'
import { operateProjection, type OperateProjection } from '../../commands/operateProjection.ts'
import { isOperator } from '../../commands/roles.ts'
import { isPresent, userOf } from '../caller.ts'
import { refreshed } from '../credentials.ts'
import type { HttpDeps, OnRecord } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireOperator } from '../middleware/requireUser.ts'
import { bodyOf, NO_PARAMETERS, queryOf, validateBody, validateQuery } from '../middleware/validate.ts'
import { uuid } from '../questions.ts'
import { watchReader } from '../readerWatch.ts'

type ProjectionDeps = Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'bus' | 'control' | 'replays' | 'clock' | 'logger'>

const build = { type: 'integer', minimum: 1, maximum: 2_147_483_647 } as const

export const projectionParameters = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: { name: { type: 'string', pattern: '^[A-Za-z]{1,64}$', 'x-words': 'the name of a projection' } },
} as const

export const rebuildSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    appId: { ...uuid, description: 'This app alone' },
    keep: { type: 'integer', minimum: 0, maximum: LIMITS.keptBuildsMax, description: `How many former builds stay for the way back; ${LIMITS.keptBuilds} unless given` },
    dry: { type: 'boolean', description: 'Build and compare with the live build, but switch nothing: the report stands with the build in GET /projections' },
  },
} as const

export const switchSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['build'],
  properties: { build: { ...build, description: 'The build to make live' } },
} as const

export const rollbackSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { build: { ...build, description: 'A kept build; the newest unless given' } },
} as const

export const dropSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['build'],
  properties: { build: { ...build, description: 'A build that is neither live nor being built' } },
} as const

export const NO_BODY = { type: 'object', additionalProperties: false, properties: {} } as const

export const startedSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['projection', 'started'],
  properties: { projection: { type: 'string' }, started: { type: 'string', enum: ['rebuild', 'trial', 'pause', 'switch', 'rollback', 'drop'] } },
} as const

export function projectionRoutes(deps: ProjectionDeps): Router {
  const router = Router()
  const owner = requireOperator(deps)
  /**
   * @openapi
   * /projections:
   *   get:
   *     operationId: listProjections
   *     tags: [Projections]
   *     summary: Read models, their builds and how far behind they are
   *     x-access: operator
   *     responses:
   *       200:
   *         description: The projections
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Projections' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router
    .route('/projections')
    .get(owner, validateQuery(NO_PARAMETERS), async (req, res) => writeAnswer(req, res, await deps.control.projections()))
    .all(otherMethods)
  /**
   * @openapi
   * /projections/progress:
   *   get:
   *     operationId: projectionProgress
   *     tags: [Projections]
   *     summary: Progress of rebuilds, as server-sent events
   *     x-access: operator
   *     responses:
   *       200: { description: One `progress` event a step, content: { text/event-stream: { schema: { type: string } } } }
   */
  const streams = { open: 0 }
  router
    .route('/projections/progress')
    .get(owner, validateQuery(NO_PARAMETERS), (req, res) => progress(deps, streams, req, res))
    .all(otherMethods)
  controls(router, deps)
  return router
}

function controls(router: Router, deps: ProjectionDeps): void {
  rebuilding(router, deps)
  switching(router, deps)
}

function rebuilding(router: Router, deps: ProjectionDeps): void {
  const owner = requireOperator(deps)
  const named = validateQuery(projectionParameters)
  /**
   * @openapi
   * /projections/{name}/rebuild:
   *   post:
   *     operationId: rebuildProjection
   *     tags: [Projections]
   *     summary: Rebuild beside the live build; it switches when it has caught up
   *     description: A rebuild that was paused goes on. With `dry` nothing is switched; what would change is reported with the build.
   *     x-access: operator
   *     x-query-schema: ProjectionParameters
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/Rebuild' } } }
   *     responses:
   *       202: { description: Started, content: { application/json: { schema: { $ref: '#/components/schemas/Started' } } } }
   */
  router
    .route('/projections/:name/rebuild')
    .post(owner, named, validateBody(rebuildSchema), async (_req, res) => {
      const how = bodyOf(res) as { appId?: string; keep?: number; dry?: boolean }
      if (how.dry === true && (how.appId !== undefined || how.keep !== undefined)) {
        throw new Problem('invalid_body', undefined, { errors: [{ path: '/dry', detail: 'tries out the whole projection and keeps nothing: it goes without appId and keep' }] })
      }
      if (how.appId !== undefined) await refuseUnlessThere(deps.keyring, how.appId)
      const asked = how.appId === undefined ? {} : { appId: how.appId }
      await deps.replays.rebuild(nameOf(res), how, onRecord(deps, res, { action: how.dry === true ? 'trial' : 'rebuild', ...asked }))
      res.status(202).json({ projection: nameOf(res), started: how.dry === true ? 'trial' : 'rebuild' })
    })
    .all(otherMethods)
  /**
   * @openapi
   * /projections/{name}/pause:
   *   post:
   *     operationId: pauseProjection
   *     tags: [Projections]
   *     summary: Halt the rebuild under way; asking for a rebuild again goes on from there
   *     x-access: operator
   *     x-query-schema: ProjectionParameters
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/NoBody' } } }
   *     responses:
   *       202: { description: Told, content: { application/json: { schema: { $ref: '#/components/schemas/Started' } } } }
   */
  router
    .route('/projections/:name/pause')
    .post(owner, named, validateBody(NO_BODY), async (_req, res) => {
      await deps.replays.pause(nameOf(res), onRecord(deps, res, { action: 'pause' }))
      res.status(202).json({ projection: nameOf(res), started: 'pause' })
    })
    .all(otherMethods)
  /**
   * @openapi
   * /projections/{name}/drop:
   *   post:
   *     operationId: dropBuild
   *     tags: [Projections]
   *     summary: Take away a build that is neither live nor being built
   *     x-access: operator
   *     x-query-schema: ProjectionParameters
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/Drop' } } }
   *     responses:
   *       202: { description: Started, content: { application/json: { schema: { $ref: '#/components/schemas/Started' } } } }
   */
  router
    .route('/projections/:name/drop')
    .post(owner, named, validateBody(dropSchema), async (_req, res) => {
      const { build } = bodyOf(res) as { build: number }
      await deps.replays.drop(nameOf(res), build, onRecord(deps, res, { action: 'drop', build }))
      res.status(202).json({ projection: nameOf(res), started: 'drop' })
    })
    .all(otherMethods)
}

function switching(router: Router, deps: ProjectionDeps): void {
  const owner = requireOperator(deps)
  const named = validateQuery(projectionParameters)
  /**
   * @openapi
   * /projections/{name}/switch:
   *   post:
   *     operationId: switchProjection
   *     tags: [Projections]
   *     summary: Make another build live, once it has caught up
   *     x-access: operator
   *     x-query-schema: ProjectionParameters
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/Switch' } } }
   *     responses:
   *       202: { description: Started, content: { application/json: { schema: { $ref: '#/components/schemas/Started' } } } }
   */
  router
    .route('/projections/:name/switch')
    .post(owner, named, validateBody(switchSchema), async (_req, res) => {
      const { build } = bodyOf(res) as { build: number }
      await deps.replays.switch(nameOf(res), build, onRecord(deps, res, { action: 'switch', build }))
      res.status(202).json({ projection: nameOf(res), started: 'switch' })
    })
    .all(otherMethods)
  /**
   * @openapi
   * /projections/{name}/rollback:
   *   post:
   *     operationId: rollbackProjection
   *     tags: [Projections]
   *     summary: Go back to a kept build, once it has caught up
   *     x-access: operator
   *     x-query-schema: ProjectionParameters
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/Rollback' } } }
   *     responses:
   *       202: { description: Started, content: { application/json: { schema: { $ref: '#/components/schemas/Started' } } } }
   */
  router
    .route('/projections/:name/rollback')
    .post(owner, named, validateBody(rollbackSchema), async (_req, res) => {
      const asked = bodyOf(res) as { build?: number }
      await deps.replays.rollback(nameOf(res), asked.build, onRecord(deps, res, { action: 'rollback', ...asked }))
      res.status(202).json({ projection: nameOf(res), started: 'rollback' })
    })
    .all(otherMethods)
}

/** Whoever runs the installation may rebuild every app's numbers, of whatever organisation; a deleted app has none. */
async function refuseUnlessThere(keyring: Keyring, appId: string): Promise<void> {
  if (keyring.state.app(appId) === undefined) await refreshed(keyring)
  if (keyring.state.app(appId)?.deleted !== false) throw new Problem('not_found', 'There is no such app')
}

function onRecord({ bus }: ProjectionDeps, res: Response, asked: Omit<OperateProjection, 'projection'>): OnRecord {
  return () => bus.execute(operateProjection, { projection: nameOf(res), ...asked }, { actor: userOf(res).accountId })
}

function nameOf(res: Response): string {
  return (queryOf(res) as { name: string }).name
}

function progress(deps: ProjectionDeps, streams: { open: number }, req: Request, res: Response): void {
  if (req.method === 'HEAD') {
    res.type('text/event-stream').end()
    return
  }
  if (streams.open >= LIMITS.progressStreams) throw new Problem('rate_limited', 'Too many streams', { retryAfterSeconds: 5 })
  streams.open += 1
  const user = userOf(res)
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' })
  res.write(': open\n\n')
  const stop = deps.replays.subscribe((step) => {
    // A reader that does not keep up misses steps; it never makes them pile up here.
    if (!res.writableNeedDrain) res.write(`event: progress\ndata: ${JSON.stringify(step)}\n\n`)
  })
  const unwatch = watchReader({
    ...deps,
    allowed: () => isPresent(deps.keyring.state, user, deps.clock.now()) && isOperator(deps.keyring.state, user.accountId),
    lost: () => void res.end(),
    beat: () => {
      if (!res.writableNeedDrain) res.write(': still here\n\n')
    },
  })
  res.once('close', () => {
    unwatch()
    stop()
    streams.open -= 1
  })
}
