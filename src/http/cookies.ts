// The cookies of a browser that is signed in or about to be. Scripts never see them. Over https their names begin with
// `__Host-`, which no neighbouring host can set, and only those are believed: that takes the path /, and is worth more than
// a narrower one, because a planted session would be the planter's. Over plain http each has the narrowest path.
import type { IncomingMessage } from 'node:http'
import type { Response } from 'express'
import type { HttpDeps } from './deps.ts'

export const USER_COOKIE = 'recount_user'

const COOKIES = {
  user: { name: USER_COOKIE, path: '/', sameSite: 'lax' },
  /** Only ever sent by scripts of our own pages. */
  refresh: { name: 'recount_refresh', path: '/auth', sameSite: 'strict' },
  /** Lax: it must come along when Google sends the browser back. */
  signIn: { name: 'recount_sign_in', path: '/auth/google', sameSite: 'lax' },
} as const

export type CookieKind = keyof typeof COOKIES

type Site = Pick<HttpDeps['config'], 'publicUrl'>

export function setCookie(res: Response, site: Site, kind: CookieKind, value: string, maxAgeMs: number): void {
  res.cookie(nameOf(site, kind), value, { ...attributesOf(site, kind), maxAge: maxAgeMs })
}

export function clearCookie(res: Response, site: Site, kind: CookieKind): void {
  res.clearCookie(nameOf(site, kind), attributesOf(site, kind))
}

export function readCookie(req: IncomingMessage, site: Site, kind: CookieKind): string | undefined {
  const name = nameOf(site, kind)
  for (const part of req.headers.cookie?.split(';') ?? []) {
    const at = part.indexOf('=')
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim()
  }
  return undefined
}

function nameOf(site: Site, kind: CookieKind): string {
  return `${isSecure(site) ? '__Host-' : ''}${COOKIES[kind].name}`
}

function attributesOf(site: Site, kind: CookieKind): { httpOnly: true; secure: boolean; sameSite: 'lax' | 'strict'; path: string } {
  const { path, sameSite } = COOKIES[kind]
  const secure = isSecure(site)
  return { httpOnly: true, secure, sameSite, path: secure ? '/' : path }
}

function isSecure({ publicUrl }: Site): boolean {
  return publicUrl !== undefined && new URL(publicUrl).protocol === 'https:'
}
