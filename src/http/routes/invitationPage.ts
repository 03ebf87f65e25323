// What somebody sees who follows the link of an invitation: into what, as what, by whom, until when, and how to join. The
// link says enough by itself, so whoever has it sees that; a link that never was and one that is over are told alike.
import { type Request, type Response, Router } from 'express'
import { hashInvitationToken, INVITATION_TOKEN } from '../../commands/invitationToken.ts'
import { grantedApps, invitationEnded } from '../../commands/joining.ts'
import type { InvitationState } from '../../commands/keyring.ts'
import type { UserCaller } from '../caller.ts'
import { refreshed } from '../credentials.ts'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { html, type Html, NOTHING, postButton, problemsAsPages, sendPage, STATUS_LINE, wantsPage } from '../pages.ts'
import { objectOf } from '../questions.ts'
import { visitorOf } from '../visitor.ts'

type InvitationDeps = Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'clock'>

export const invitationLinkParameters = objectOf({ token: { type: 'string', description: 'The end of the link' } }, ['token'])

export const invitationAnswer = objectOf(
  {
    organisation: { type: 'string', description: 'Its name' },
    role: { type: 'string' },
    apps: {
      type: 'array',
      items: objectOf({ name: { type: 'string' }, role: { type: 'string' } }, ['name', 'role']),
      description: 'What it grants on single apps beside that',
    },
    email: { type: 'string', nullable: true, description: 'Whom it is for, masked; null: whoever has the link' },
    invitedBy: { type: 'string', nullable: true },
    expiresAt: { type: 'string', format: 'date-time' },
  },
  ['organisation', 'role', 'apps', 'email', 'invitedBy', 'expiresAt'],
)

interface Invitation {
  readonly organisation: string
  readonly role: string
  readonly apps: readonly { readonly name: string; readonly role: string }[]
  readonly email: string | null
  readonly invitedBy: string | null
  readonly expiresAt: string
}

export function invitationPage(deps: InvitationDeps): Router {
  const router = Router()
  router.use('/invitations', problemsAsPages({ href: '/', text: 'To the first page' }))
  /**
   * @openapi
   * /invitations/{token}:
   *   get:
   *     operationId: invitation
   *     tags: [Organisations]
   *     summary: The invitation behind a link, as a page or as JSON by Accept
   *     x-access: open
   *     x-problem-pages: true
   *     x-query-schema: InvitationLinkParameters
   *     responses:
   *       200:
   *         description: The invitation
   *         content:
   *           application/json: { schema: { $ref: '#/components/schemas/Invitation' } }
   *           text/html: { schema: { type: string } }
   */
  router
    .route('/invitations/:token')
    .get(async (req, res) => {
      const { token } = req.params
      const invitation = await openInvitation(deps, token)
      res.set({ 'Cache-Control': 'private, no-store', 'Referrer-Policy': 'no-referrer' }).vary('Cookie')
      if (wantsPage(req)) await sendInvitation(deps, req, res, { token, told: toldOf(deps, invitation), organisationId: invitation.organisationId })
      else res.json(toldOf(deps, invitation))
    })
    .all(otherMethods)
  return router
}

async function openInvitation({ keyring, clock }: InvitationDeps, token: string): Promise<InvitationState> {
  const hash = new RegExp(INVITATION_TOKEN).test(token) ? hashInvitationToken(token) : undefined
  // Another process may have made it a moment ago.
  if (hash !== undefined && keyring.state.invitationByHash(hash) === undefined) await refreshed(keyring)
  const found = hash === undefined ? undefined : keyring.state.invitationByHash(hash)
  if (found?.state !== 'open' || found.expiresAt <= clock.now()) throw invitationEnded()
  return found
}

function toldOf({ keyring }: InvitationDeps, { organisationId, role, apps, email, invitedBy, expiresAt }: InvitationState): Invitation {
  const { state } = keyring
  const inviter = invitedBy === undefined ? undefined : state.account(invitedBy)
  return {
    organisation: state.organisation(organisationId)!.name,
    role,
    apps: grantedApps(state, { organisationId, apps }).map((grant) => ({ name: state.app(grant.appId)!.name, role: grant.role })),
    email: email === undefined ? null : masked(email),
    invitedBy: inviter?.name ?? inviter?.email ?? null,
    expiresAt: new Date(expiresAt).toISOString(),
  }
}

// Enough to know which account to take, and not an address for whoever finds the link.
function masked(email: string): string {
  return email.replace(/^(.).*(@[^@]*)$/, '$1…$2')
}

interface Shown {
  readonly token: string
  readonly told: Invitation
  readonly organisationId: string
}

async function sendInvitation(deps: InvitationDeps, req: Request, res: Response, shown: Shown): Promise<void> {
  const { user, refresh } = await visitorOf(deps, req, res)
  const { told } = shown
  const body = html`<h1>Join ${told.organisation}</h1>
<dl>
<dt>As</dt><dd>${told.role}</dd>
${told.apps.map(({ name, role }) => html`<dt>Of the app</dt><dd>${name} (${role})</dd>\n`)}${told.invitedBy === null ? NOTHING : html`<dt>Invited by</dt><dd>${told.invitedBy}</dd>`}
${told.email === null ? NOTHING : html`<dt>For</dt><dd>${told.email}</dd>`}
<dt>Until</dt><dd><time datetime="${told.expiresAt}">${told.expiresAt.slice(0, 16).replace('T', ' ')} UTC</time></dd>
</dl>
${user === undefined ? comeIn(deps, shown) : join(deps, user, shown)}
${STATUS_LINE}`
  sendPage(res, `Join ${told.organisation} – Recount`, body, { refresh })
}

function comeIn({ config }: InvitationDeps, { token }: Shown): Html {
  if (config.google === undefined) return html`<p>Sign-in with Google is not set up on this server yet. Ask whoever invited you.</p>`
  return html`<p><a class="button" href="/auth/google?invitation=${token}">Sign in with Google to join</a></p>`
}

function join(deps: InvitationDeps, { accountId }: UserCaller, { token, organisationId }: Shown): Html {
  const { state } = deps.keyring
  if (state.member(organisationId, accountId) !== undefined) return html`<p>You belong to it already. <a href="/">Go on</a></p>`
  const account = state.account(accountId)
  const other = deps.config.google === undefined ? NOTHING : html`<a href="/auth/google?invitation=${token}">Join as somebody else</a>`
  return html`<p>${postButton(`Join as ${account?.email ?? account?.name ?? 'the owner'}`, '/invitations/accept', { token }, '/')}${other}</p>`
}
