/**
 * What an OpenID provider publishes about itself, read with suspicion: it decides where we send people, codes and our
 * client secret. OpenID Connect Discovery 1.0 §3, §4.3; RFC 9207 §3.
 */
import { GatewayError } from '../../errors.ts'
import { quoted } from '../quotation.ts'

/** Only what we use; everything else that a provider publishes is left behind. */
export interface Metadata {
  readonly issuer: string
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  readonly jwksUri: string
  readonly userinfoEndpoint: string | null
  readonly endSessionEndpoint: string | null
  /** The callback carries `iss` (RFC 9207). */
  readonly namesItselfInCallback: boolean
  /** Of ID tokens and of signed userinfo answers: what the provider says, as far as we accept it. Never empty. */
  readonly signingAlgorithms: readonly string[]
  readonly userinfoAlgorithms: readonly string[]
  readonly tokenAuthentication: 'basic' | 'post'
}

/**
 * Asymmetric signatures only: `none` proves nothing, and HMAC would let whoever knows the client secret, or the public
 * key where the two are confused, write ID tokens (RFC 8725 §2.1, §3.1).
 */
const acceptedAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'Ed25519',
  'EdDSA',
]

export interface Expected {
  readonly issuer: string
  /** An issuer on http and loopback is accepted, for development and tests. */
  readonly allowLoopbackHttp: boolean
}

/**
 * @param json the body of the discovery answer
 * @throws GatewayError `idp.invalid-answer` not JSON, or not to be trusted; the detail says what
 */
export function readMetadata(json: string, expected: Expected): Metadata {
  const published = parsed(json)
  const issuer = published.issuer
  // As addresses, so that a final slash after the host is no difference; ID tokens are then compared to the letter.
  if (typeof issuer !== 'string' || !URL.canParse(issuer) || new URL(issuer).href !== new URL(expected.issuer).href) {
    throw refused(`the metadata names the issuer ${quoted(issuer)}, the configuration ${expected.issuer}`, {
      hint: 'Write oidc.issuer exactly as the idp does in its metadata.',
    })
  }
  const issuerUrl = new URL(issuer)
  if (!isHttps(issuerUrl) && !(expected.allowLoopbackHttp && isLoopbackHttp(issuerUrl))) {
    throw refused(`the issuer ${quoted(issuer)} is not https`)
  }

  const endpoint = (name: string): string | null => {
    const value = published[name]
    if (value === undefined || value === null) return null
    const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null
    if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') {
      throw refused(`${name} is ${quoted(value)}, which is no address of an endpoint`)
    }
    // Plain http only for a provider that is itself on http and loopback, and then only to loopback: metadata must not
    // send us to a neighbour inside the network (http://169.254.169.254/), nor a person to javascript: or file:.
    if (!isHttps(url) && !(isLoopbackHttp(issuerUrl) && isLoopbackHttp(url))) {
      throw refused(`${name} is ${quoted(value)}, which is not https`)
    }
    return url.href
  }
  const required = (name: string): string => {
    const value = endpoint(name)
    if (value === null) throw refused(`the metadata has no ${name}`)
    return value
  }

  return {
    issuer,
    authorizationEndpoint: required('authorization_endpoint'),
    tokenEndpoint: required('token_endpoint'),
    jwksUri: required('jwks_uri'),
    userinfoEndpoint: endpoint('userinfo_endpoint'),
    endSessionEndpoint: endpoint('end_session_endpoint'),
    namesItselfInCallback: published.authorization_response_iss_parameter_supported === true,
    signingAlgorithms: algorithms(published, 'id_token_signing_alg_values_supported'),
    userinfoAlgorithms: userinfoAlgorithms(published),
    tokenAuthentication: tokenAuthentication(published.token_endpoint_auth_methods_supported),
  }
}

/** http, and a host that never leaves this machine. */
export function isLoopbackHttp(url: URL): boolean {
  const host = url.hostname
  return (
    url.protocol === 'http:' &&
    (host === 'localhost' || host.endsWith('.localhost') || /^127(\.\d+){3}$/.test(host) || host === '[::1]')
  )
}

function isHttps(url: URL): boolean {
  return url.protocol === 'https:'
}

function parsed(json: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (cause) {
    throw refused(`the metadata is not JSON: ${quoted(json)}`, { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refused('the metadata is not an object')
  return value as Readonly<Record<string, unknown>>
}

function algorithms(published: Readonly<Record<string, unknown>>, name: string): readonly string[] {
  const listed = published[name]
  if (!Array.isArray(listed)) return acceptedAlgorithms
  const accepted = acceptedAlgorithms.filter(algorithm => listed.includes(algorithm))
  if (accepted.length === 0) {
    throw refused(`${name} is ${quoted(listed)}: none of these is a signature with a public key`, {
      hint: `Let the idp sign ID tokens for this client with one of ${acceptedAlgorithms.join(', ')}.`,
    })
  }
  return accepted
}

/** A provider that signs no userinfo may list `none` alone; a signed answer then matches nothing. */
function userinfoAlgorithms(published: Readonly<Record<string, unknown>>): readonly string[] {
  const listed = published.userinfo_signing_alg_values_supported
  return Array.isArray(listed) ? acceptedAlgorithms.filter(algorithm => listed.includes(algorithm)) : acceptedAlgorithms
}

/** Absent means Basic (Discovery §3). */
function tokenAuthentication(methods: unknown): 'basic' | 'post' {
  if (!Array.isArray(methods) || methods.includes('client_secret_basic')) return 'basic'
  return methods.includes('client_secret_post') ? 'post' : 'basic'
}

function refused(detail: string, options: { hint?: string; cause?: unknown } = {}): GatewayError {
  return new GatewayError('idp.invalid-answer', detail, options)
}
