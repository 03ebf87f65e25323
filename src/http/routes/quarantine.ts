// Events that were refused: looked at by who may see what events say, let in or thrown away by the app's admins. What is let in
// takes the same way as /collect, and counts once however often that is asked for.
import { Router } from 'express'
import { LIMITS } from '../../limits.ts'
import { STATUSES } from '../../queries/ledgerSchemas.ts'
import type { QuarantineAsked } from '../../queries/quarantine.ts'
import { writeAnswer } from '../answers.ts'
import { appAskedAbout, appOf, userOf } from '../caller.ts'
import type { KeyAuthority } from '../credentials.ts'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireUserOrKey } from '../middleware/requireKey.ts'
import { requireUser } from '../middleware/requireUser.ts'
import { bodyOf, queryOf, validateBody, validateQuery } from '../middleware/validate.ts'
import { appId, objectOf, page, uuid } from '../questions.ts'
import { ledgerApp } from './ledger.ts'

type QuarantineDeps = Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'ledger' | 'quarantine'>

const number = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'Of the event in the quarantine of its app' } as const
const code = { type: 'string', minLength: 1, maxLength: 64, description: 'Why it was refused', example: 'timestamp_in_future' } as const

export const quarantineParameters = objectOf({ appId, code, status: { type: 'string', enum: STATUSES }, ...page })
export const quarantinedParameters = objectOf({ appId, number }, ['number'])
export const discardParameters = objectOf({ appId: uuid, number }, ['appId', 'number'])
export const releaseParameters = objectOf({ number }, ['number'])
export const releaseBody = {
  ...objectOf({ appId: uuid, event: { description: 'As /collect takes it, in place of what is kept; left out: as it is' } }, ['appId']),
  title: 'ReleaseBody',
  description: 'Lets an event in: as it is, where settings or rules have changed since, or mended.',
  examples: [{ appId: '0190f5d0-7b1e-7c3a-9d57-0d2f3f1c9a55', event: { event: 'pageview', url: '/bread' } }],
}
export const releaseManyBody = {
  ...objectOf({ appId: uuid, code, after: { ...number, description: '`nextAfter` of the answer before' } }, ['appId', 'code']),
  title: 'ReleaseManyBody',
  description: `Lets in what was refused for one reason, as it is, the oldest first, at most ${LIMITS.quarantineReleases} at once.`,
  examples: [{ appId: '0190f5d0-7b1e-7c3a-9d57-0d2f3f1c9a55', code: 'timestamp_in_future' }],
}
const whole = { type: 'integer', minimum: 0 } as const
export const releasedAnswer = objectOf({ number: whole, status: { const: 'released' }, eventId: { type: 'string', description: 'Give it to `after=` to wait until it is counted' } }, ['number', 'status', 'eventId'])
export const releasedManyAnswer = objectOf(
  {
    released: whole,
    refused: {
      type: 'array',
      items: objectOf({ number: whole, code: { type: 'string' }, detail: { type: 'string' } }, ['number', 'code', 'detail']),
      description: 'Refused again: they stay in quarantine',
    },
    nextAfter: { type: ['integer', 'null'], description: 'There may be more: ask again with `after`' },
  },
  ['released', 'refused', 'nextAfter'],
)
export const discardedAnswer = objectOf({ number: whole, status: { const: 'discarded' } }, ['number', 'status'])

export function quarantineRoutes(deps: QuarantineDeps, authority: KeyAuthority): Router {
  const router = Router()
  reading(router, deps, authority)
  releasingMany(router, deps)
  acting(router, deps, authority)
  return router
}

function reading(router: Router, deps: QuarantineDeps, authority: KeyAuthority): void {
  const reader = requireUserOrKey(deps, authority, 'people')
  /**
   * @openapi
   * /quarantine:
   *   get:
   *     operationId: listQuarantine
   *     tags: [Events]
   *     summary: Events that were refused, newest first
   *     x-access: { app: analyst, scope: people }
   *     x-query-schema: QuarantineParameters
   *     responses:
   *       200:
   *         description: A page of them
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Quarantine' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router
    .route('/quarantine')
    .get(reader, validateQuery(quarantineParameters), async (req, res) => {
      const { appId: asked, ...params } = queryOf(res) as QuarantineAsked & { appId?: string }
      const app = await appAskedAbout(res, deps.keyring, asked, 'analyst')
      writeAnswer(req, res, await deps.ledger.quarantine(ledgerApp(app), params))
    })
    .all(otherMethods)
}

function releasingMany(router: Router, deps: QuarantineDeps): void {
  /**
   * @openapi
   * /quarantine/release:
   *   post:
   *     operationId: releaseMany
   *     tags: [Events]
   *     summary: Let in what was refused for one reason
   *     x-access: { app: admin }
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/ReleaseManyBody' } } }
   *     responses:
   *       200:
   *         description: How many were let in, and which were refused again
   *         content: { application/json: { schema: { $ref: '#/components/schemas/ReleasedMany' } } }
   */
  router
    .route('/quarantine/release')
    .post(requireUser(deps), validateBody(releaseManyBody), async (_req, res) => {
      const { appId: asked, ...which } = bodyOf(res) as { appId: string; code: string; after?: number }
      const actor = userOf(res)
      const app = await appOf(actor, deps.keyring, asked, 'admin')
      res.json(await deps.quarantine.releaseAll(app, which, actor.accountId))
    })
    .all(otherMethods)
}

function acting(router: Router, deps: QuarantineDeps, authority: KeyAuthority): void {
  const user = requireUser(deps)
  /**
   * @openapi
   * /quarantine/{number}:
   *   get:
   *     operationId: getQuarantined
   *     tags: [Events]
   *     summary: One event that was refused, with all that is kept of it
   *     x-access: { app: analyst, scope: people }
   *     x-query-schema: QuarantinedParameters
   *     responses:
   *       200:
   *         description: The event
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Quarantined' } } }
   *       304: { description: As the ETag in If-None-Match says }
   *   delete:
   *     operationId: discardQuarantined
   *     tags: [Events]
   *     summary: Throw away what an event said; that it was received stays in the ledger
   *     x-access: { app: admin }
   *     x-query-schema: DiscardParameters
   *     responses:
   *       200:
   *         description: It is gone, now or since somebody did the same before
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Discarded' } } }
   */
  router
    .route('/quarantine/:number')
    .get(requireUserOrKey(deps, authority, 'people'), validateQuery(quarantinedParameters), async (req, res) => {
      const { appId: asked, number: one } = queryOf(res) as { appId?: string; number: number }
      const app = await appAskedAbout(res, deps.keyring, asked, 'analyst')
      writeAnswer(req, res, await deps.ledger.quarantined(ledgerApp(app), one))
    })
    .delete(user, validateQuery(discardParameters), async (_req, res) => {
      const { appId: asked, number: one } = queryOf(res) as { appId: string; number: number }
      const actor = userOf(res)
      const app = await appOf(actor, deps.keyring, asked, 'admin')
      const { status } = await deps.quarantine.discard(app, one, actor.accountId)
      res.json({ number: one, status })
    })
    .all(otherMethods)
  /**
   * @openapi
   * /quarantine/{number}/release:
   *   post:
   *     operationId: releaseQuarantined
   *     tags: [Events]
   *     summary: Let an event in, as it is or mended
   *     description: >-
   *       It is checked as /collect checks, whichever key it came by, and counts from the instant at which it was received unless it
   *       names its own. It counts once: under its own `id` where it has one, else under one that belongs to its place in quarantine.
   *       What is refused again is answered 400, with what is wrong, and stays.
   *     x-access: { app: admin }
   *     x-query-schema: ReleaseParameters
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/ReleaseBody' } } }
   *     responses:
   *       201:
   *         description: In the log
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Released' } } }
   *       200:
   *         description: It was released before, as this event
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Released' } } }
   */
  router
    .route('/quarantine/:number/release')
    .post(user, validateQuery(releaseParameters), validateBody(releaseBody), async (_req, res) => {
      const { number: one } = queryOf(res) as { number: number }
      const { appId: asked, ...given } = bodyOf(res) as { appId: string; event?: unknown }
      const actor = userOf(res)
      const app = await appOf(actor, deps.keyring, asked, 'admin')
      const { status, eventId, now } = await deps.quarantine.release(app, one, given, actor.accountId)
      res.status(now ? 201 : 200).json({ number: one, status, eventId })
    })
    .all(otherMethods)
}
