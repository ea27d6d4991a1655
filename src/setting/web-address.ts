/**
 * URLs of the configuration. What would be read in two ways is refused rather than tidied: a path with dot segments, an
 * escape, a doubled slash; a user, a query or a fragment. Plain http is accepted on this machine only (SESSIONS A9).
 */
import { z } from 'zod'

/** `localhost`, `*.localhost` and `127.0.0.1`: browsers treat them as safe without TLS, and nobody else reaches them. */
function isLocalName(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '127.0.0.1'
}

/** What makes a decoded path ambiguous, as a phrase; null: it has one reading. */
export function ambiguityOf(path: string): string | null {
  if (!path.startsWith('/')) return 'must begin with /'
  if (/[\x00-\x1f\x7f\\]/.test(path)) return 'must not have control characters or backslashes'
  if (/[?#]/.test(path)) return 'must not have a query or a fragment'
  if (path.includes('%')) return 'must not have escapes (%…): write the decoded path'
  if (path.includes(';')) return 'must not have parameters (;)'
  if (path.includes('//')) return 'must not have an empty segment (//)'
  if (path.split('/').some(segment => segment === '.' || segment === '..')) return 'must not have dot segments'
  return null
}

interface Demands {
  readonly example: string
  /** local: https everywhere, http on this machine. any: both. */
  readonly http: 'local' | 'any'
  /** none: only `/`. folder: it must end with `/`. any: whatever it is; a query too. */
  readonly path: 'none' | 'folder' | 'any'
}

/** Null: nothing is wrong. Otherwise what it must be. */
function faultOf(text: string, url: URL, { http, path, example }: Demands): string | null {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return `must be an https URL, such as ${example}`
  if (url.username !== '' || url.password !== '') return 'must not have a user or a password'
  if (/[\s\\]/.test(text) || !/^https?:\/\/[^/]/i.test(text)) return `must be a URL, such as ${example}`
  if (url.hostname.endsWith('.')) return 'must not end its host name with a dot'
  if (url.hostname.includes('*')) return 'must not have a wildcard'
  if (http === 'local' && url.protocol === 'http:' && !isLocalName(url.hostname))
    return 'must be https: plain http is accepted for localhost, *.localhost and 127.0.0.1 only'
  if (path === 'any') return null
  const written = /^https?:\/\/[^/?#]*(.*)$/i.exec(text)?.[1] ?? ''
  if (written === '') return null
  if (/[?#]/.test(written)) return 'must not have a query or a fragment'
  if (path === 'none') return written === '/' ? null : `must not have a path, such as ${example}`
  if (/[^\x21-\x7e]|["<>`^{|}]/.test(written)) return 'must have a path of plain ASCII, as it stands in a request'
  return ambiguityOf(written) ?? (written.endsWith('/') ? null : 'must end with /')
}

/** The text as it was written, where its spelling matters: an issuer is compared letter by letter. */
export function webAddressText(demands: Demands) {
  const expected = `must be a URL, such as ${demands.example}`
  return z
    .string({ error: expected })
    .regex(/^[Hh][Tt][Tt][Pp][Ss]?:\/\//, { error: expected })
    .superRefine((text, context) => {
      const url = URL.parse(text)
      const message = url === null ? expected : faultOf(text, url, demands)
      if (message !== null) context.addIssue({ code: 'custom', message })
    })
    .meta({ title: 'URL' })
}

export function webAddress(demands: Demands) {
  return webAddressText(demands)
    .transform(text => new URL(text))
    .meta({ title: 'URL' })
}
