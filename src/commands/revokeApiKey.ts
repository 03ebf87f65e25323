// Kills a key for good. Revoking it again changes nothing and answers the same, because a client that saw no answer must be
// able to ask again.
import { apiKeyRevoked, type ApiKeyRevoked } from '../events/apiKeyRevoked.ts'
import { objectSchema, uuid } from '../events/schemas.ts'
import type { Command } from './commandBus.ts'
import { actingAccount, keyFor } from './roles.ts'

export interface RevokeApiKey {
  keyId: string
}

export const revokeApiKey: Command<RevokeApiKey, { keyId: string; appId: string }> = {
  name: 'RevokeApiKey',
  schema: {
    ...objectSchema({ keyId: { ...uuid, description: 'The key to end.' } }, ['keyId']),
    ...{ title: 'RevokeApiKey', description: 'Ends a key: within a second no process accepts it.' },
    examples: [{ keyId: '0b7f3c1e-52a4-5e0d-8f3a-6d1c9b2e4a70' }],
  },
  withdraws: true,
  decide(state, { keyId }, context) {
    const { app, key } = keyFor(state, keyId, actingAccount(state, context), 'analyst')
    const data: ApiKeyRevoked = { keyId, appId: app.appId }
    const events = key.revoked ? [] : [{ type: apiKeyRevoked, stream: `key:${keyId}`, appId: app.appId, data }]
    return { events, result: { keyId, appId: app.appId } }
  },
}
