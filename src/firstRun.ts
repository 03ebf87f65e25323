// What a person sees who has just started Recount: where it is, how to sign in, and commands that paste as they are. On an
// embedded store that has no app yet it makes the first one with a key, so that the first event is one command away.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { CommandBus } from './commands/commandBus.ts'
import { issueApiKey } from './commands/issueApiKey.ts'
import type { KeyState } from './commands/keyring.ts'
import { organisationOwner } from './commands/organisationOwner.ts'
import { registerApp } from './commands/registerApp.ts'
import { presentScopes } from './commands/roles.ts'
import { createWriteKey, hashWriteKey } from './commands/writeKey.ts'
import type { Config } from './config.ts'
import { FIRST_ORGANISATION } from './events/organisations.ts'
import type { Scope } from './events/schemas.ts'
import type { Recount } from './main.ts'

const KEY_FILE = 'first-write-key'

/** The text to print once the process is ready. */
export async function firstRun(recount: Recount, config: Config): Promise<string> {
  if (recount.bus === undefined) return `Recount's ${config.role} process is running; its probes are at ${recount.url}/health/ready\n`
  const head = greeting(recount.url, recount.secrets.ownerCode, config)
  // In production what is printed is kept: no key is made or shown there unasked.
  if (!config.databaseUrl.startsWith('sqlite:') || config.production) return `${head.join('\n')}\n`
  const key = await firstKey(recount, recount.bus, config.dataDir)
  if (key === undefined) return `${head.join('\n')}\n`
  return [
    ...head,
    '',
    'Collect an event:',
    '',
    `  curl '${recount.url}/collect?ack=stored' -H 'Authorization: Bearer ${key.writeKey}' \\`,
    `    -H 'Content-Type: application/json' -d '{"event": "signup", "anonymousId": "visitor-1"}'`,
    '',
    'Read the number:',
    '',
    ...question(recount, key.state, '&event=signup'),
    '',
    'Ctrl-C stops it; everything it acknowledged is kept.',
    '',
  ].join('\n')
}

/** Where it is; the owner code only where nobody set it, because logs are kept and read by many. */
export function greeting(url: string, ownerCode: string, config: Config): string[] {
  return [
    `Recount is running at ${url}`,
    '',
    `  What next         ${url}/`,
    `  API               ${url}/api-docs`,
    ...(config.google === undefined ? [] : [`  Google sign-in    ${config.google.callbackUrl.replace(/\/callback$/, '')}`]),
    ...(config.allowLocalSignin ? [`  Owner code        ${config.ownerCode === undefined ? ownerCode : 'as set by OWNER_CODE'}`] : []),
  ]
}

/** How to read an app's numbers, with a key of its own that is made when it has none. */
export async function readingOf(recount: Recount, appId: string): Promise<string> {
  const { keyring, bus } = recount
  await keyring.refresh()
  const readable = (key: KeyState): boolean => presentScopes(keyring.state, key).includes('query') && !key.revoked && key.expiresAt === undefined
  let key = [...keyring.state.keysOf(appId)].find(readable)
  if (key === undefined && bus !== undefined) {
    const actor = await organisationOwner({ keyring, bus }, keyring.state.app(appId)?.organisationId)
    const { writeKeyHash, writeKeyHint } = createWriteKey()
    const input = { appId, name: 'Reading', scopes: ['query'] as Scope[] }
    const { keyId } = await bus.execute(issueApiKey, input, { actor, secret: { writeKeyHash, writeKeyHint } })
    key = keyring.state.key(keyId)
  }
  return key === undefined ? '' : ['', 'Read its numbers:', '', ...question(recount, key, ''), '', ''].join('\n')
}

function question({ url, tokens }: Recount, { keyId, appId, expiresAt }: KeyState, more: string): string[] {
  const token = tokens.issueAnalytics({ keyId, appId, expiresAt })
  return [`  curl '${url}/analytics/event-summary?appId=${appId}${more}' \\`, `    -H 'Authorization: Bearer ${token}'`]
}

async function firstKey(recount: Recount, bus: CommandBus, dataDir: string): Promise<{ state: KeyState; writeKey: string } | undefined> {
  const path = join(dataDir, KEY_FILE)
  const { state } = recount.keyring
  if (existsSync(path)) {
    const writeKey = readFileSync(path, 'utf8').trim()
    const key = state.keyByHash(hashWriteKey(writeKey))
    const alive = key !== undefined && !key.revoked && state.app(key.appId)?.deleted === false
    return alive ? { state: key, writeKey } : undefined
  }
  if ([...state.apps()].length > 0) return undefined
  const actor = await organisationOwner({ keyring: recount.keyring, bus })
  const { appId } = await bus.execute(registerApp, { name: 'My first app', organisationId: FIRST_ORGANISATION }, { actor })
  await recount.relay.apply(appId)
  const { writeKey, ...secret } = createWriteKey()
  const { keyId } = await bus.execute(issueApiKey, { appId, name: 'First key', scopes: ['collect', 'query', 'people'] }, { actor, secret })
  // With JWT_SECRET and a database elsewhere nothing else has made the folder.
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${writeKey}\n`, { mode: 0o600 })
  const key = state.key(keyId)
  return key === undefined ? undefined : { state: key, writeKey }
}
