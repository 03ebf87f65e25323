// Lets programs pass: an analytics token with the scope that the route asks for; where people may ask too, a user token as
// well. The public `rk_…` key can collect and nothing else, whatever its scopes say, because anybody can read it.
import type { Request, RequestHandler } from 'express'
import { Problem } from '../../errors.ts'
import type { KeyState } from '../../commands/keyring.ts'
import { type Caller, checkAgain, refuseUnlessPresent } from '../caller.ts'
import { type KeyAuthority, refuseLostScope, requireScope } from '../credentials.ts'
import type { HttpDeps } from '../deps.ts'
import { letIn } from './rateLimits.ts'
import { authenticateUser, bearerOf } from './requireUser.ts'

type Scope = KeyState['scopes'][number]

export function requireKey(authority: KeyAuthority, scope: Scope): RequestHandler {
  return async (req, res, next) => {
    const credential = credentialOf(req)
    if (credential === undefined) throw new Problem('unauthenticated', 'Send Authorization: Bearer <analytics token>')
    await letIn(res, await keyCaller(authority, credential, scope))
    next()
  }
}

export function requireUserOrKey(
  deps: Pick<HttpDeps, 'config' | 'keyring' | 'tokens'>,
  authority: KeyAuthority,
  scope: Scope,
): RequestHandler {
  return async (req, res, next) => {
    const credential = credentialOf(req)
    const isKey = credential !== undefined && (credential.startsWith('rk_') || deps.tokens.kindOf(credential) === 'analytics')
    const caller = isKey ? await keyCaller(authority, credential, scope) : await authenticateUser(deps, req)
    await letIn(res, caller)
    const { keyring } = deps
    checkAgain(res, () => (caller.kind === 'key' ? refuseLostScope(keyring.state, caller.key.keyId, scope) : refuseUnlessPresent(keyring.state, caller)))
    next()
  }
}

function credentialOf(req: Request): string | undefined {
  return bearerOf(req) ?? req.get('x-api-key')
}

async function keyCaller(authority: KeyAuthority, credential: string, scope: Scope): Promise<Caller> {
  const { key, scopes, viaPublicKey } = await authority.resolve(credential)
  if (viaPublicKey) throw new Problem('forbidden', 'A write key collects; to read, use the analytics token')
  requireScope(scopes, key, scope)
  return { kind: 'key', key }
}
