// What whoever looks at the first page does next, as commands that paste as they are: somebody who may register apps does
// that, somebody who may not reads a number of an app they see, and nobody is sent a way that is closed here.
import { OWNER_ID } from '../commands/signInOwner.ts'
import { appsSeenBy, atLeast } from '../commands/roles.ts'
import type { UserCaller } from './caller.ts'
import type { HttpDeps } from './deps.ts'

export interface Step {
  readonly title: string
  readonly command: string
}

type StepDeps = Pick<HttpDeps, 'config' | 'keyring'>
type Looker = Pick<UserCaller, 'accountId'> | undefined

/** For whoever looks; undefined is anybody. Empty where nobody could sign in. */
export function nextSteps(deps: StepDeps, url: string, user: Looker): Step[] {
  const signIn = signInSteps(deps, url, user)
  if (user === undefined) return signIn.length === 1 ? [...signIn, ...firstApp(url)] : signIn.length === 0 ? [] : [...signIn, listApps(url)]
  const { state } = deps.keyring
  const registers = [...state.membershipsOf(user.accountId)].some(({ role }) => atLeast(role, 'admin'))
  if (registers) return [...signIn, ...firstApp(url)]
  const [app] = appsSeenBy(state, user.accountId)
  if (app === undefined) return [...signIn, listApps(url)]
  return [...signIn, listApps(url), { title: `Read a number of ${app.name}`, command: reading(url, `appId=${app.appId}&event=pageview&period=30d`, 'USER_TOKEN') }]
}

function signInSteps({ config }: StepDeps, url: string, user: Looker): Step[] {
  if (config.allowLocalSignin && (user === undefined || user.accountId === OWNER_ID)) return [ownerCode(url)]
  return config.google === undefined ? [] : commandLine(url)
}

function ownerCode(url: string): Step {
  return {
    title: 'Sign in with the owner code that the console printed',
    command: `read -r OWNER_CODE && USER_TOKEN=$(${posting(`${url}/auth/local`, '"{\\"code\\":\\"$OWNER_CODE\\"}"')} | ${picked('token')})`,
  }
}

// The code that the page shows is worth nothing without the verifier, which does not leave the shell before it is exchanged.
function commandLine(url: string): Step[] {
  const challenge = `$(printf %s "$VERIFIER" | openssl dgst -sha256 -binary | openssl base64 | tr '+/' '-_' | tr -d '=')`
  return [
    {
      title: 'Sign in on a command line: open the address that this prints',
      command: `VERIFIER=$(openssl rand -hex 32); echo "${url}/auth/google?cli=${challenge}"`,
    },
    {
      title: 'Put in the code that the page shows',
      command: `read -r CODE && USER_TOKEN=$(${posting(`${url}/auth/exchange`, '"{\\"code\\":\\"$CODE\\",\\"verifier\\":\\"$VERIFIER\\"}"')} | ${picked('token')})`,
    },
  ]
}

function listApps(url: string): Step {
  return { title: 'List the apps that you see', command: `curl -s ${url}/apps -H "authorization: Bearer $USER_TOKEN"` }
}

function firstApp(url: string): Step[] {
  const post = (path: string, variable: string, body: string): string => posting(`${url}${path} -H "authorization: Bearer $${variable}"`, body)
  return [
    { title: 'Register an app', command: `APP_ID=$(${post('/auth/register', 'USER_TOKEN', `'{"name":"My site"}'`)} | ${picked('appId')})` },
    {
      title: 'Issue a key for it',
      command: `TOKEN=$(${post('/auth/api-key', 'USER_TOKEN', `"{\\"appId\\":\\"$APP_ID\\",\\"scopes\\":[\\"collect\\",\\"query\\"]}"`)} | ${picked('token')})`,
    },
    { title: 'Collect the first event', command: post('/collect', 'TOKEN', `'{"event":"signup","userId":"user-1"}'`) },
    { title: 'Read the number', command: reading(url, 'event=signup', 'TOKEN') },
  ]
}

function posting(to: string, body: string): string {
  return `curl -s ${to} -H 'content-type: application/json' -d ${body}`
}

function picked(field: string): string {
  return `sed 's/.*"${field}":"\\([^"]*\\)".*/\\1/'`
}

function reading(url: string, query: string, variable: string): string {
  return `curl -s "${url}/analytics/event-summary?${query}" -H "authorization: Bearer $${variable}"`
}
