/**
 * Our cookies: their names, how they are read, how they are written (SESSIONS C1). None ever reaches an origin, none is
 * ever accepted from one. A browser that knows the prefix lets no script plant a `__Host-Http-` cookie; the others
 * see `__Host-` as before.
 */

export const cookieName = {
  portal: '__Host-Http-passerelle',
  site: '__Host-Http-passerelle-site',
  /** Set at sign-out: the next sign-in asks the person again. */
  fresh: '__Host-Http-passerelle-fresh',
  /** Which idp the person of this computer chose last, if they wanted that remembered. */
  idp: '__Host-Http-passerelle-idp',
  /** What the person of this computer chose among the values of a claim. */
  choice: '__Host-Http-passerelle-choice',
  /** A sign-in without a question was tried: when first, and how often since. */
  silent: '__Host-Http-passerelle-silent',
  /** express-session's own, for page state. */
  form: '__Host-Http-passerelle-form',
} as const

/** One cookie for each transaction, its tag behind the prefix (SESSIONS A2). */
export const transactionPrefix = {
  pending: '__Host-Http-passerelle-p-',
  nonce: '__Host-Http-passerelle-n-',
  /** A session that a callback has just made, until /enter takes it over: tabs must not overwrite each other's. */
  session: '__Host-Http-passerelle-s-',
} as const

/** At most this many transaction cookies of a kind; the oldest are expired when more arrive. */
export const transactionLimit = 24

/** 15 minutes, in seconds: how long a started sign-in may take. */
export const transactionLife = 900

/** An origin may set, and be sent, nothing that begins like this: a name, or a whole `name=value`. */
const ours = /^__(host-)?http-passerelle/i

export function isOurs(name: string): boolean {
  return ours.test(name)
}

/** Whether the browser sent anything of ours. One that keeps no cookies never does. */
export function hasOurs(header: string | null): boolean {
  return [...eachCookie(header ?? '')].some(({ name }) => isOurs(name))
}

/** Every cookie in order, split on `;` only: no quoting, no decoding (SESSIONS B 27). */
export function* eachCookie(header: string): Generator<{ readonly name: string; readonly value: string }> {
  for (const part of header.split(';')) {
    const equals = part.indexOf('=')
    if (equals > 0) yield { name: part.slice(0, equals).trim(), value: part.slice(equals + 1).trim() }
  }
}

/** All values of one name, distinct, at most four: more than that is an attack, and the rest would only cost. */
export function cookieValues(header: string | null, name: string): readonly string[] {
  if (header === null || !header.includes(name)) return []
  const values: string[] = []
  // By hand: each request to a protected site comes through here.
  for (const part of header.split(';')) {
    const equals = part.indexOf('=')
    if (equals < name.length || part.slice(0, equals).trim() !== name) continue
    const value = part.slice(equals + 1).trim()
    if (!values.includes(value)) values.push(value)
    if (values.length === 4) break
  }
  return values
}

/** Every cookie whose name begins so, in the order of the header: browsers send the oldest first (RFC 6265 §5.4). */
export function cookiesNamed(header: string | null, prefix: string): readonly { name: string; value: string }[] {
  return header === null ? [] : Array.from(eachCookie(header)).filter(({ name }) => name.startsWith(prefix))
}

export function cookieValue(header: string | null, name: string): string | null {
  return cookieValues(header, name)[0] ?? null
}

/** @param maxAge seconds; null: until the browser closes */
export function setCookie(name: string, value: string, maxAge: number | null): string {
  const life = maxAge === null ? '' : `; Max-Age=${maxAge}`
  return `${name}=${value}; Path=/${life}; Secure; HttpOnly; SameSite=Lax`
}

export function expireCookie(name: string): string {
  return setCookie(name, '', 0)
}

/** Set-Cookie lines that bring the transaction cookies of a kind under the limit; browsers send the oldest first. */
export function expireOldest(header: string | null, prefix: string): readonly string[] {
  const names = cookiesNamed(header, prefix).map(({ name }) => name)
  return names.slice(0, Math.max(0, names.length - transactionLimit + 1)).map(expireCookie)
}
