// A browser as far as sign-in goes: it keeps cookies by their paths, follows nothing by itself, and asks like a person or
// like a script of a page of ours.
import assert from 'node:assert/strict'
import { type Asked, ask, type Told } from './fixture.ts'

export interface Visitor {
  /** What it would send to a path. */
  cookies(path: string): string
  cookie(name: string): string | undefined
  /** A request of a page of ours, held against the OpenAPI document. */
  ask(asked: Asked): Promise<Told>
  /** A person who follows a link: answers are pages. */
  visit(path: string): Promise<{ status: number; headers: Headers; text: string }>
  /** Begins at Google and comes back; answers what the callback address is. */
  throughGoogle(query?: string): Promise<string>
  /** The whole way; JSON for problems. */
  signIn(query?: string): Promise<Told>
}

export function newVisitor(url: string): Visitor {
  const jar = new Map<string, { value: string; path: string }>()
  const { host, origin } = new URL(url)
  const keep = (lines: readonly string[]): void => {
    for (const line of lines) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      const ends = Date.parse(/Expires=([^;]+)/.exec(line)?.[1] ?? '')
      if (ends <= 0) jar.delete(name!)
      else jar.set(name!, { value: value!, path: /Path=([^;]+)/.exec(line)![1]! })
    }
  }
  const visitor: Visitor = {
    cookies: (path) => [...jar].filter(([, cookie]) => path.startsWith(cookie.path)).map(([name, { value }]) => `${name}=${value}`).join('; '),
    cookie: (name) => jar.get(name)?.value,
    async ask(asked) {
      const told = await ask(url, { ...asked, headers: { cookie: visitor.cookies(asked.path), origin, host, ...asked.headers } })
      keep(told.headers['set-cookie'] ?? [])
      return told
    },
    async visit(path) {
      const answer = await fetch(`${url}${path}`, { redirect: 'manual', headers: { accept: 'text/html', cookie: visitor.cookies(path) } })
      keep(answer.headers.getSetCookie())
      return { status: answer.status, headers: answer.headers, text: await answer.text() }
    },
    async throughGoogle(query = '') {
      const begun = await visitor.ask({ path: `/auth/google${query}` })
      assert.equal(begun.status, 302, begun.text)
      const back = await fetch(begun.headers.location!, { redirect: 'manual' })
      assert.equal(back.status, 302, await back.text())
      const callback = back.headers.get('location')!
      assert.ok(callback.startsWith(`${url}/auth/google/callback?`), callback)
      return callback.slice(url.length)
    },
    signIn: async (query) => visitor.ask({ path: await visitor.throughGoogle(query) }),
  }
  return visitor
}
