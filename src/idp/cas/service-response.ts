/**
 * What a CAS server says of a ticket (CAS Protocol 3.0 §2.5.2, appendix A), read by its structure: only an
 * `authenticationSuccess` that stands where it belongs, in the namespace of CAS, is one.
 */
import { GatewayError } from '../../errors.ts'
import type { Claims } from '../../model/identity.ts'
import { quoted } from '../quotation.ts'
import { attributesOf } from './attributes.ts'
import { readXml, type XmlElement } from './xml.ts'

export type ServiceResponse =
  | { readonly kind: 'success'; readonly user: string; readonly attributes: Claims }
  /** INVALID_TICKET, INVALID_SERVICE …: the server's own word, and what it adds. */
  | { readonly kind: 'failure'; readonly code: string; readonly message: string }

const cas = 'http://www.yale.edu/tp/cas'

/** @throws GatewayError `idp.invalid-answer` no such answer; `idp.rejected` a ticket of another application's */
export function readServiceResponse(xml: string): ServiceResponse {
  const root = parsed(xml)
  const [answer, ...more] = root.children
  if (!isCas(root, 'serviceResponse') || answer === undefined || more.length > 0) {
    throw nonsense(`the root element is ${quoted(root.name)} with ${root.children.length} children`)
  }
  if (isCas(answer, 'authenticationFailure')) {
    return { kind: 'failure', code: answer.attributes.code ?? '', message: answer.text }
  }
  if (!isCas(answer, 'authenticationSuccess')) throw nonsense(`it holds ${quoted(answer.name)}`)
  const users = answer.children.filter(child => isCas(child, 'user'))
  const [user] = users
  if (user === undefined || users.length > 1 || user.children.length > 0) throw nonsense('it names no user, or several')
  if (user.text === '' || user.text.length > 255 || /[\0-\x1f\x7f\ufffd]/.test(user.text)) {
    throw nonsense(`the user is ${quoted(user.text)}: 1 to 255 printable characters are expected`)
  }
  // A proxy is another application that acts for the person; nobody here has asked for one (§2.7).
  if (answer.children.some(child => isCas(child, 'proxies'))) {
    throw new GatewayError('idp.rejected', 'the ticket came through a proxy, another application of this CAS server')
  }
  return { kind: 'success', user: user.text, attributes: attributesOf(answer.children.filter(child => !isOwn(child))) }
}

function parsed(xml: string): XmlElement {
  try {
    return readXml(xml)
  } catch (cause) {
    throw nonsense(cause instanceof Error ? cause.message : String(cause), cause)
  }
}

function isCas(element: XmlElement, name: string): boolean {
  return element.namespace === cas && element.name === name
}

/** The protocol's own parts of a success, beside which some servers put the attributes. */
function isOwn(element: XmlElement): boolean {
  return ['user', 'proxyGrantingTicket', 'proxies'].some(name => isCas(element, name))
}

function nonsense(detail: string, cause?: unknown): GatewayError {
  return new GatewayError('idp.invalid-answer', `the answer to the ticket is no CAS service response: ${detail}`, {
    hint: 'Compare cas.server with the address of the CAS server; its login page must be at …/login below it.',
    ...(cause === undefined ? {} : { cause }),
  })
}
