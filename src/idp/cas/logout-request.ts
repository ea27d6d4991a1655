/**
 * CAS single logout (CAS Protocol 3.0 §2.3.3): a SAML LogoutRequest of which only the ticket counts. It is signed by nobody: that a
 * ticket is known to nobody but the server and us is all its proof, so it ends the session of that ticket and of no other.
 */
import { readXml, type XmlElement } from './xml.ts'

const protocol = 'urn:oasis:names:tc:SAML:2.0:protocol'

/** Characters. Servers write less than two thousand; anybody may send one, and each is parsed before it proves anything. */
const longest = 8_192

/** @returns the ticket; null: this is no such request */
export function ticketOfLogoutRequest(xml: string): string | null {
  if (xml.length > longest) return null
  let root: XmlElement
  try {
    root = readXml(xml)
  } catch {
    return null
  }
  if (root.name !== 'LogoutRequest' || root.namespace !== protocol) return null
  const tickets = root.children.filter(child => child.name === 'SessionIndex' && child.namespace === protocol)
  const [ticket] = tickets
  if (ticket === undefined || tickets.length > 1 || ticket.children.length > 0) return null
  return ticket.text === '' || ticket.text.length > 1_024 ? null : ticket.text
}
