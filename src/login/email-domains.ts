/**
 * Whose an e-mail address is, by its domain alone: which idp looks after the people of an institution. Nothing of a person is
 * looked up anywhere, so that nothing can be learned of one.
 */
import { asciiDomain } from '../model/email-domain.ts'
import type { IdpId } from '../model/identity.ts'

/** What somebody said of themselves, at the page or in a link. */
export interface LoginHint {
  /** In lower case and ASCII. */
  readonly domain: string
  /** The whole address, as an idp can be told it (OpenID Connect Core 1.0 §3.1.2.1, `login_hint`); null: only a domain was named. */
  readonly address: string | null
}

/** Characters of a whole address, and bytes of what stands before the @ (RFC 5321 §4.5.3.1, RFC 3696 errata 1690). */
const longestAddress = 254
const longestLocalPart = 64

/** @returns null: it is neither an address nor a domain */
export function readLoginHint(sent: string | null): LoginHint | null {
  const text = (sent ?? '').trim()
  if (text === '' || text.length > longestAddress) return null
  const [behind = '', local, ...more] = text.split('@').reverse()
  const domain = asciiDomain(behind.replace(/\.$/, ''))
  if (domain === null || more.length > 0 || local === '') return null
  if (local === undefined) return { domain, address: null }
  // A local part in quotes may hold nearly anything (RFC 5321 §4.1.2): it still says whose it is, and is told to nobody.
  const sayable = /^[^\s\p{C}"<>()[\]\\,:;]+$/u.test(local) && Buffer.byteLength(local) <= longestLocalPart
  return { domain, address: sayable ? `${local}@${domain}` : null }
}

export interface EmailDomains {
  /** The most exact entry decides: `lab.cnrs.fr` before `*.cnrs.fr` before `*.fr`. Null: nobody's. */
  readonly ownerOf: (domain: string) => IdpId | null
  /** As configured; for a search. */
  readonly of: (idp: IdpId) => readonly string[]
}

export function createEmailDomains(
  idps: readonly { readonly id: IdpId; readonly emailDomains: readonly string[] }[],
): EmailDomains {
  const owners = new Map(idps.flatMap(({ id, emailDomains }) => emailDomains.map(domain => [domain, id] as const)))
  const domains = new Map(idps.map(({ id, emailDomains }) => [id, emailDomains]))
  return {
    ownerOf(domain) {
      const exact = owners.get(domain)
      if (exact !== undefined) return exact
      const labels = domain.split('.')
      for (let from = 1; from < labels.length; from++) {
        const owner = owners.get(`*.${labels.slice(from).join('.')}`)
        if (owner !== undefined) return owner
      }
      return null
    },
    of: idp => domains.get(idp) ?? [],
  }
}
