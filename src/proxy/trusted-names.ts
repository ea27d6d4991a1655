/**
 * Which request headers a client may not send on. An origin that knows nothing of us may trust far more names than the
 * ones we set, and folds them: CGI, WSGI and PHP make `_` of `-`, PHP of `.` too, so `X_Remote_User` and `X.Remote.User`
 * arrive as the identity. Cases HD-01 to HD-12; oauth2-proxy CVE-2025-64484, Traefik CVE-2026-54763 are this.
 */

/**
 * Between two hops only (RFC 9110 §7.6.1, and those that older clients send). `TE`, `Trailer`: trailers are dropped.
 * `Content-Length` is written by whoever writes the body: a client that could have it removed, by naming it in
 * `Connection`, would make its body the next request.
 */
const hopByHop = [
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
  'host',
]

/**
 * What servers, frameworks and other gateways are known to believe, folded; a final `-` stands for everything behind it, and
 * for nothing: `Proxy` becomes HTTP_PROXY under CGI, and the site's own requests go to whoever sent it (CVE-2016-5385).
 */
const believed = [
  'auth-',
  'cas-',
  'cf-access-',
  'oidc-',
  'proxy-',
  'remote-',
  'saml-',
  'shib-',
  'ssl-',
  'wl-proxy-',
  'x-accel-',
  'x-amzn-oidc-',
  'x-auth-request-',
  'x-authenticated-',
  'x-cas-',
  'x-client-cert-',
  'x-forwarded-',
  'x-goog-authenticated-',
  'x-ms-client-principal-',
  'x-oidc-',
  'x-original-',
  'x-passerelle-',
  'x-pomerium-',
  'x-proxy-',
  'x-remote-',
  'x-rewrite-',
  'x-saml-',
  'x-shib-',
  'x-ssl-',
  'x-vouch-',
  'x-webauth-',
  'cf-connecting-ip',
  'client-ip',
  'fastly-client-ip',
  'forwarded',
  'front-end-https',
  'max-forwards',
  'true-client-ip',
  'via',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-email',
  'x-groups',
  'x-host',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-originating-ip',
  'x-proxyuser-ip',
  'x-real-ip',
  'x-scheme',
  'x-sendfile-type',
  'x-url-scheme',
  'x-user',
  'x-username',
]

/** Origins that keep headers in plain objects resolve these to something else than a header. */
const inherited = Object.getOwnPropertyNames(Object.prototype).map(name => name.toLowerCase())

/** Letters, digits and hyphens: as nginx does by default, everything else is dropped, because origins fold it differently. */
const plainName = /^[A-Za-z0-9-]+$/

/** `X--Remote_User-` and `x-remote-user` are the same name to somebody. */
export function fold(name: string): string {
  return name
    .toLowerCase()
    .replace(/[-_.]+/g, '-')
    .replace(/^-|-$/g, '')
}

/**
 * @param identityHeaders every header that any resource injects, as configured
 * @returns whether a client's header of this name may go on to an origin
 */
export function createNameFilter(identityHeaders: Iterable<string>): (name: string) => boolean {
  const exact = new Set([...hopByHop, ...inherited, ...believed.filter(name => !name.endsWith('-'))])
  for (const name of identityHeaders) exact.add(fold(name))
  const prefixes = believed.filter(name => name.endsWith('-'))

  return function mayPass(name) {
    if (!plainName.test(name)) return false
    const folded = fold(name)
    return !exact.has(folded) && !prefixes.some(prefix => `${folded}-`.startsWith(prefix))
  }
}
