/**
 * CAS single logout (CAS Protocol 3.0 §2.3.3): a SAML LogoutRequest of which only the ticket counts. It is signed by nobody: that a
 * ticket is known to nobody but the server and us is all its proof, so it ends the session of that ticket and of no other.
 */
import { readXml, type XmlElement } from './xml.ts'

const protocol = 'urn:oasis:names:tc:SAML:2.0:protocol'

/** @returns the ticket; null: this is no such request */
export function ticketOfLogoutRequest(xml: string): string | null {
  let root: XmlElement
  try {
    root = readXml(xml)
  } catch {
    return null
  }
  if (root.name !== 'LogoutRequest' || root.namespace !== protocol) return null
  const tickets = root.children.filter(child => child.name === 'SessionIndex' && child.namespace === protocol)
  const [ticket] = tickets
  return ticket === undefined || tickets.length > 1 || ticket.text === '' || ticket.text.length > 1_024
    ? null
    : ticket.text
}
