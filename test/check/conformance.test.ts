/**
 * The OpenID Foundation's relying-party plans, module by module: what of them our own provider can exercise, and the test that
 * does. A test that is renamed or goes has to be named here anew. Left out as no part of a gateway that signs in with codes:
 * Implicit, Hybrid, WebFinger, dynamic registration, request objects, aggregated and distributed claims, mTLS, encrypted
 * userinfo, and Session Management, which browsers without third-party cookies have ended.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')

/** Module without its prefix `oidcc-client-test`, what we do, and file and name (or its beginning) of the test that shows it. */
type Row = readonly [module: string, does: string, file: string, test: string]

const plans: Readonly<Record<string, readonly Row[]>> = {
  Basic: [
    ['(base)', 'completes', 'test/idp/oidc.test.ts', 'gives the subject, the claims as lists under the names'],
    ['-invalid-iss', 'refuses', 'test/idp/id-token.test.ts', 'of another issuer is refused'],
    ['-missing-sub', 'refuses', 'test/idp/id-token.test.ts', 'whose sub is %j is refused'],
    ['-invalid-aud', 'refuses', 'test/idp/id-token.test.ts', "['another audience', { aud: 'other' }]"],
    ['-missing-aud', 'refuses', 'test/idp/id-token.test.ts', "['no audience', { aud: undefined }]"],
    ['-missing-iat', 'refuses', 'test/idp/id-token.test.ts', "['iat', undefined]"],
    ['-kid-absent-single-jwks', 'accepts', 'test/idp/keys.test.ts', 'may go unnamed where there is one key'],
    ['-kid-absent-multiple-jwks', 'refuses', 'test/idp/keys.test.ts', 'may not go unnamed among several'],
    ['-idtoken-sig-rs256', 'accepts', 'test/idp/id-token.test.ts', 'is accepted when all of it is right'],
    ['-idtoken-sig-none', 'refuses', 'test/idp/id-token.test.ts', 'without a signature is refused'],
    ['-invalid-sig-rs256', 'refuses', 'test/idp/id-token.test.ts', 'with a broken signature is refused'],
    ['-invalid-sig-es256', 'refuses', 'test/idp/id-token.test.ts', 'once a bit of its signature is another'],
    ['-invalid-sig-hs256', 'refuses', 'test/idp/id-token.test.ts', 'signed by HMAC with the public key'],
    ['-userinfo-bearer-header', 'sends', 'test/idp/answers.test.ts', 'is asked for with the token in the header'],
    ['-userinfo-invalid-sub', 'refuses', 'test/idp/answers.test.ts', '%j about somebody else, or nobody, is refused'],
    ['-nonce-invalid', 'refuses', 'test/idp/id-token.test.ts', 'whose nonce is %j is refused'],
    [
      '-scope-userinfo-claims',
      'uses',
      'test/idp/oidc.test.ts',
      'gives the subject, the claims as lists under the names',
    ],
    ['-client-secret-basic', 'sends', 'test/idp/callback.test.ts', 'by Basic where the metadata say nothing'],
    ['-invalid-athash', 'refuses', 'test/idp/id-token.test.ts', 'whose at_hash or c_hash does not fit is refused'],
  ],
  Config: [
    ['-discovery-openid-config', 'uses', 'test/idp/discovery.test.ts', 'uses what the metadata say'],
    ['-discovery-jwks-uri-keys', 'uses', 'test/idp/keys.test.ts', 'is fetched once for many sign-ins'],
    ['-discovery-issuer-mismatch', 'refuses', 'test/idp/discovery.test.ts', 'that name the issuer %j are refused'],
    [
      '-signing-key-rotation-just-before-signing',
      'looks again',
      'test/idp/keys.test.ts',
      'is believed when it changed just',
    ],
    ['-signing-key-rotation', 'looks again', 'test/idp/keys.test.ts', 'is believed at the next sign-in'],
  ],
  'Form Post Basic': [
    ['(base)', 'consumes', 'test/flow/posted-reply.test.ts', 'comes without our cookies, is fetched again with them'],
    [
      '-form-post-error',
      'shows',
      'test/flow/posted-reply.test.ts',
      'that is an error is one page, and nothing is redeemed',
    ],
  ],
  Refresh: [
    ['-refresh-token', 'refreshes', 'test/idp/refresh.test.ts', 'the person is as the provider says now'],
    ['-refresh-token-invalid-issuer', 'refuses', 'test/idp/refresh.test.ts', "['another iss', "],
    ['-refresh-token-invalid-sub', 'refuses', 'test/idp/refresh.test.ts', "['another sub', "],
  ],
  '3rd-party-initiated login': [
    [
      '-3rd-party-init-login',
      'starts our own',
      'test/attack/callback.test.ts',
      'is one of ours, at the idp that is chosen here',
    ],
  ],
  'RP-Initiated Logout': [
    ['-rp-init-logout', 'ends', 'test/flow/logout.test.ts', 'leads on to the provider by a button'],
    ['-rp-init-logout-other-state', 'closes', 'test/flow/logout.test.ts', "['another state', `?state="],
    ['-rp-init-logout-no-state', 'closes', 'test/flow/logout.test.ts', "['no state', '']"],
  ],
  'Back-Channel Logout': [
    [
      '-rp-backchannel-rpinitlogout',
      'ends',
      'test/flow/logout-at-provider.test.ts',
      'is heard of, and finds nothing left to end',
    ],
    [
      '(answers of 200 and 400)',
      'answers',
      'test/attack/back-channel.test.ts',
      'refuses a token %s, and everybody stays',
    ],
    ['-alg-none', 'refuses', 'test/idp/logout-token.test.ts', "['that is not signed (BL-02)'"],
    ['-wrong-alg', 'refuses', 'test/idp/logout-token.test.ts', "['signed with the client secret (BL-02)'"],
    ['-no-event', 'refuses', 'test/idp/logout-token.test.ts', "['without events (BL-04)'"],
    ['-wrong-event', 'refuses', 'test/idp/logout-token.test.ts', "['with another event (BL-04)'"],
    ['-with-nonce', 'refuses', 'test/idp/logout-token.test.ts', "['with a nonce (BL-05)'"],
    ['-wrong-aud', 'refuses', 'test/idp/logout-token.test.ts', "['for another client (BL-03)'"],
    ['-wrong-iss', 'refuses', 'test/idp/logout-token.test.ts', "['of another issuer (BL-03)'"],
  ],
  'Front-Channel Logout': [
    [
      '-rp-frontchannel-opinitlogout',
      'ends',
      'test/browser/front-channel.test.ts',
      'ends the session, without a cookie',
    ],
    ['-rp-frontchannel-rpinitlogout', 'ends', 'test/attack/front-channel.test.ts', 'whose return says what is closed'],
  ],
}

const sources = new Map<string, string>()
function sourceOf(file: string): string {
  const text = sources.get(file) ?? readFileSync(join(root, file), 'utf8')
  sources.set(file, text)
  return text
}

describe.each(Object.entries(plans))('the plan %s', (_, rows) => {
  it.each(rows)('%s: what %s is shown by %s: %s', (_module, _does, file, test) => {
    expect(sourceOf(file)).toContain(test)
  })
})
