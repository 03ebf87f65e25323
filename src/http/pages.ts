// Our few pages: plain HTML that works without a script, one style sheet, and one small script for what takes a POST. Both
// are files of ours, because the content policy allows nothing inline. Whatever comes from outside goes through `html`.
import type { Request, RequestHandler, Response } from 'express'
import type { Problem } from '../errors.ts'

/** Text that is HTML already. */
export class Html {
  constructor(readonly text: string) {}
}

/** A template whose values are escaped, unless they are Html; lists are put one after the other. */
export function html(strings: TemplateStringsArray, ...values: readonly (string | Html | readonly Html[])[]): Html {
  return new Html(strings.reduce((text, part, index) => text + spelt(values[index - 1]!) + part))
}

export const NOTHING = new Html('')

function spelt(value: string | Html | readonly Html[]): string {
  if (typeof value === 'string') return escaped(value)
  return value instanceof Html ? value.text : value.map(({ text }) => text).join('')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;')
}

/** Whether a person with a browser asks; programs take JSON. */
export function wantsPage(req: Request): boolean {
  return req.accepts(['json', 'html']) === 'html'
}

/** `refresh`: the page begins anew once the session is refreshed. */
export function sendPage(res: Response, title: string, body: Html, { status = 200, refresh = false } = {}): void {
  res.status(status).vary('Accept').type('html')
  if (!res.hasHeader('Cache-Control')) res.set('Cache-Control', 'no-store')
  res.send(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="stylesheet" href="/pages/recount.css">
<link rel="icon" href="/api-docs/favicon-32x32.png">
<script src="/pages/recount.js" defer></script>
</head>
<body${refresh ? new Html(' data-refresh') : NOTHING}>
<main>
${body}
</main>
</body>
</html>
`.text)
}

export interface Way {
  readonly href: string
  readonly text: string
}

/** Whoever comes here with a browser reads what goes wrong as a page, with a way on. */
export function problemsAsPages(on: Way): RequestHandler {
  return (req, res, next) => {
    res.vary('Accept')
    if (wantsPage(req)) (res.locals as { problemsLeadTo?: Way }).problemsLeadTo = on
    next()
  }
}

/** Another way on, once more is known; nothing where no page is wanted. */
export function leadOn(res: Response, on: Way): void {
  const locals = res.locals as { problemsLeadTo?: Way }
  if (locals.problemsLeadTo !== undefined) locals.problemsLeadTo = on
}

/** Says what happened, its code for whoever they ask, and the way on. False where no page is wanted. */
export function sentProblemPage(res: Response, problem: Problem): boolean {
  const { problemsLeadTo: on } = res.locals as { problemsLeadTo?: Way }
  if (on === undefined) return false
  if (problem.retryAfterSeconds !== undefined) res.set('Retry-After', String(problem.retryAfterSeconds))
  res.set('Cache-Control', 'no-store')
  const body = html`<h1>${problem.title}</h1>
${problem.message === problem.title ? NOTHING : html`<p>${problem.message}.</p>\n`}${faults(problem)}<p>${problem.code === 'not_found' || on.href === '/' ? NOTHING : html`<a class="button" href="${on.href}">${on.text}</a> `}<a href="/">Home</a></p>
<p class="quiet">If it stays so, tell whoever runs this server: <code>${problem.code}</code></p>`
  sendPage(res, `${problem.title} – Recount`, body, { status: problem.status })
  return true
}

function faults({ errors = [] }: Problem): Html {
  if (errors.length === 0) return NOTHING
  return html`<ul>${errors.map(({ path, detail }) => html`<li><code>${path}</code> ${detail}</li>`)}</ul>\n`
}

export const STYLE = `:root { color-scheme: light dark; --ink: #1d2733; --quiet: #5b6875; --paper: #fff; --shade: #f1f4f7; --blue: #0b62c4; --edge: #d5dce3 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --quiet: #9aa7b4; --paper: #14191f; --shade: #1f262e; --blue: #6db1ff; --edge: #36414c } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; color: var(--ink); background: var(--paper) }
main { max-width: 46rem; margin: 3rem auto; padding: 0 1rem }
h1 { line-height: 1.2 }
pre { background: var(--shade); padding: .75rem; border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 13px }
a { color: var(--blue) }
.button { display: inline-block; font: inherit; padding: .5rem 1rem; margin: 0 .75rem .5rem 0; border: 1px solid var(--blue); border-radius: 6px; background: var(--blue); color: var(--paper); text-decoration: none; cursor: pointer }
.button:hover, .button:focus-visible { filter: brightness(1.15) }
.button.plain { background: none; color: var(--blue) }
.card { border: 1px solid var(--edge); border-radius: 8px; padding: .25rem 1rem 1rem; margin: 1.5rem 0 }
.quiet { color: var(--quiet) }
.code { font: 600 2rem/1.5 ui-monospace, monospace; letter-spacing: .1em; margin: .5rem 0 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem }
dt { color: var(--quiet) }
dd { margin: 0; overflow-wrap: anywhere }
`

/** Buttons say in data attributes what they post and where that leads; a session whose token ended is refreshed first. */
export const SCRIPT = `'use strict'
const post = (path, body) =>
  fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

const refreshed = async () => (await post('/auth/refresh', {})).ok

async function act(button) {
  const { post: path, body, then } = button.dataset
  let answer = await post(path, JSON.parse(body))
  if (answer.status === 401 && (await refreshed())) answer = await post(path, JSON.parse(body))
  if (answer.ok || (answer.status === 401 && path === '/auth/sign-out')) return location.assign(then)
  const problem = await answer.json().catch(() => ({}))
  throw new Error(problem.detail ?? 'That did not work; try again.')
}

for (const button of document.querySelectorAll('button[data-post]')) {
  button.addEventListener('click', async () => {
    button.disabled = true
    const said = document.querySelector('[role=status]')
    try {
      await act(button)
    } catch (error) {
      if (said) said.textContent = error.message
    } finally {
      button.disabled = false
    }
  })
}

if (document.body.hasAttribute('data-refresh')) {
  refreshed().then((ok) => {
    if (ok) location.reload()
  })
}
`

/** A button that posts JSON as whoever is signed in. Its page needs an element of role status for what goes wrong. */
export function postButton(text: string, path: string, body: unknown, then: string, look: 'button' | 'button plain' = 'button'): Html {
  return html`<button class="${look}" data-post="${path}" data-body="${JSON.stringify(body)}" data-then="${then}">${text}</button>`
}

export const STATUS_LINE = html`<p role="status" class="quiet"></p>`
