/**
 * Who the person is, in the headers that a legacy site reads. A value is data: it never holds a control character, never
 * becomes two headers, and is never cut: what does not fit is a failure that names the header.
 */
import { GatewayError } from '../errors.ts'
import { type Identity, subjectId } from '../model/identity.ts'
import type { HeaderInjection, IdentityHeaders, Resource } from '../model/resource.ts'
import type { Session } from '../model/session.ts'

export type HeaderEncoding = 'utf-8' | 'latin1' | 'percent' | 'base64'

export interface IdentityHeaderSettings {
  /** Header name to template: text with `{subject}`, `{subjectId}`, `{idp}` or `{name of a claim}`. */
  readonly headers: Readonly<Record<string, string>>
  readonly encoding: HeaderEncoding
  /** Between the values of a list; inside a value it is escaped by a backslash, as is the backslash. */
  readonly separator: string
}

/** Bytes of one header's value: what common servers still take beside a Cookie. */
const longest = 8 * 1024

export function compileIdentityHeaders({ headers, encoding, separator }: IdentityHeaderSettings): IdentityHeaders {
  return {
    headers: Object.entries(headers).map(([name, template]): HeaderInjection => {
      const parts = template.split(/\{([^{}]*)\}/)
      return {
        name,
        valueOf(identity) {
          let text = ''
          for (const [index, part] of parts.entries()) {
            const value = index % 2 === 0 ? part : placeholder(part, identity, separator)
            // No claim, no header: half a template would say something that nobody asserted.
            if (value === null) return null
            text += value
          }
          return text === '' ? null : encoded(name, text, encoding)
        },
      }
    }),
  }
}

/**
 * The injected headers of a session on a resource as whole lines, made once for each: a cached session is never changed.
 * @throws GatewayError `identity.unsendable`
 */
export function createInjection(): (session: Session, resource: Resource) => string {
  const made = new WeakMap<Session, Map<Resource, string>>()
  return function injectionOf(session, resource) {
    let byResource = made.get(session)
    if (byResource === undefined) {
      byResource = new Map()
      made.set(session, byResource)
    }
    let lines = byResource.get(resource)
    if (lines === undefined) {
      lines = injectedHeaders(session.identity, resource)
        .map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`))
        .join('')
      byResource.set(resource, lines)
    }
    return lines
  }
}

/**
 * Flat: name, value, name, value …
 * @throws GatewayError `identity.unsendable`
 */
export function injectedHeaders(identity: Identity, resource: Resource): readonly string[] {
  return resource.identityHeaders.headers.flatMap(header => {
    const value = header.valueOf(identity)
    return value === null ? [] : [header.name, value]
  })
}

function placeholder(name: string, identity: Identity, separator: string): string | null {
  if (name === 'subject') return identity.subject
  if (name === 'idp') return identity.idp
  if (name === 'subjectId') return subjectId(identity)
  const values = (Object.hasOwn(identity.claims, name) ? identity.claims[name] : undefined)?.filter(
    value => value !== '',
  )
  if (values === undefined || values.length === 0) return null
  return values.map(value => value.replaceAll('\\', '\\\\').replaceAll(separator, `\\${separator}`)).join(separator)
}

function encoded(name: string, text: string, encoding: HeaderEncoding): string {
  const value = bytesOf(text, encoding)
  if (value.length <= longest) return value
  throw new GatewayError(
    'identity.unsendable',
    `header ${name} would be ${value.length} bytes; the limit is ${longest}`,
    {
      hint: 'Send a claim with fewer values to this site, or a shorter one.',
    },
  )
}

function bytesOf(text: string, encoding: HeaderEncoding): string {
  switch (encoding) {
    case 'utf-8':
      return Buffer.from(printable(text), 'utf8').toString('latin1')
    case 'latin1':
      return printable(text).replace(/[^\0-\u00ff]/gu, percent)
    case 'percent':
      return Array.from(Buffer.from(text, 'utf8'), byte =>
        /[A-Za-z0-9._~@-]/.test(String.fromCharCode(byte))
          ? String.fromCharCode(byte)
          : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
      ).join('')
    case 'base64':
      return Buffer.from(text, 'utf8').toString('base64')
  }
}

/**
 * Control characters, and spaces at either end (which every parser trims, so that ` admin` would be `admin`), become
 * percent escapes: two different values stay different, and none ends a header.
 */
function printable(text: string): string {
  return text.replace(/[\0-\x1f\x7f-\x9f\u2028\u2029]|^ +| +$/g, percent)
}

function percent(characters: string): string {
  return Array.from(
    Buffer.from(characters, 'utf8'),
    byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('')
}
