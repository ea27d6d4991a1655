/**
 * The messages to and from one OpenID provider. They are openid-client's work, and this is the only file that knows it;
 * what is asked of the answers beside it stands in the files beside this one.
 * OpenID Connect Core 1.0 §3.1, §5.3; RFC 6749 §6; RFC 7636; RP-Initiated Logout 1.0 §2.
 */
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  type ClientAuth,
  ClientSecretPost,
  Configuration,
  type CustomFetch,
  calculatePKCECodeChallenge,
  clockSkew,
  clockTolerance,
  customFetch,
  enableNonRepudiationChecks,
  fetchUserInfo,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  refreshTokenGrant,
} from 'openid-client'
import { GatewayError } from '../../errors.ts'
import { Deadlines } from '../../model/deadlines.ts'
import type { Asking } from '../../model/idp.ts'
import type { OutboundFetch } from '../../model/outbound.ts'
import type { Secret } from '../../model/secret.ts'
import { ask } from '../ask.ts'
import { basicCredentials } from './basic-credentials.ts'
import { type Asked, failureOf } from './failure.ts'
import type { KeySet } from './key-set.ts'
import { isLoopbackHttp, type Metadata } from './metadata.ts'
import { keyWantedBy } from './wanted-key.ts'

export interface ClientSettings {
  readonly clientId: string
  /** Null: a public client, which has PKCE alone. */
  readonly clientSecret: Secret | null
  /** How the secret is sent; null: as the provider's metadata prefer. */
  readonly clientAuthentication: 'basic' | 'post' | null
}

export interface ClientNeeds {
  readonly fetch: OutboundFetch
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly keySet: KeySet
  /** Seconds by which the provider's clock and ours may differ. */
  readonly toleranceS: number
}

export type Members = Readonly<Record<string, unknown>>

/** What the token endpoint gave. */
export interface Tokens {
  /** Signature, `iss`, `aud`, `exp`, `nbf` and `nonce` are verified. Null: none came (a refresh needs none, Core §12.2). */
  readonly idToken: { readonly token: string; readonly claims: Members } | null
  readonly accessToken: string
  /** Seconds that the access token is good for; null: the provider did not say. */
  readonly expiresInS: number | null
  readonly refreshToken: string | null
}

export interface Answers {
  readonly redeem: (reply: URL, proof: Proof) => Promise<Tokens>
  readonly refresh: (refreshToken: string) => Promise<Tokens>
  /** @param subject that the answer must be about (Core §5.3.2) */
  readonly userinfo: (accessToken: string, subject: string) => Promise<Members>
}

/** What only the one who began a sign-in knows. */
export interface Proof {
  readonly nonce: string
  readonly state: string
  readonly verifier: string
}

export interface Beginning {
  readonly callback: URL
  readonly scope: string
  readonly state: string
  readonly asking: Asking
  /** Null: the person says at the idp who they are. */
  readonly loginHint: string | null
}

/** For all answers of one errand together, ms. */
const answersMs = 10_000

export type OidcClient = ReturnType<typeof createClient>

export function createClient(settings: ClientSettings, needs: ClientNeeds) {
  const deadlines = new Deadlines(answersMs)
  const unwired: CustomFetch = () => Promise.reject(new Error('building an address asks nobody'))

  /** One for each errand: openid-client remembers keys by it, and the key set remembers them better. */
  function configure(metadata: Metadata, fetch: CustomFetch): Configuration {
    const drift = Math.floor(needs.now() / 1000) - Math.floor(Date.now() / 1000)
    const configuration = new Configuration(
      serverMetadata(metadata),
      settings.clientId,
      { [clockSkew]: drift, [clockTolerance]: needs.toleranceS },
      clientAuthentication(settings, metadata),
    )
    configuration[customFetch] = fetch
    configuration.timeout = answersMs / 1000
    // Without it, signatures of tokens that come from the token endpoint are not looked at.
    enableNonRepudiationChecks(configuration)
    if (isLoopbackHttp(new URL(metadata.issuer))) allowInsecureRequests(configuration)
    return configuration
  }

  /** openid-client's way to the idp. Keys come from our key set, which must know the token to know the key. */
  function wire(metadata: Metadata, signal: AbortSignal): CustomFetch {
    let wanted = keyWantedBy('')
    return async (url, options) => {
      if (url === metadata.jwksUri) return Response.json({ keys: await needs.keySet.keysFor(url, wanted) })
      const answer = await ask(needs.fetch, options.method === 'POST' ? 'POST' : 'GET', new URL(url), {
        headers: options.headers,
        body: options.body instanceof URLSearchParams ? options.body.toString() : null,
        signal,
      })
      wanted = keyWantedBy(await answer.clone().text())
      return answer
    }
  }

  return {
    /** Where the browser is sent, and what must be remembered until it is back. */
    async begin(
      metadata: Metadata,
      { callback, scope, state, asking, loginHint }: Beginning,
    ): Promise<{ readonly to: URL; readonly proof: Proof }> {
      const verifier = randomPKCECodeVerifier()
      const nonce = randomNonce()
      const to = buildAuthorizationUrl(configure(metadata, unwired), {
        redirect_uri: callback.href,
        scope,
        state,
        nonce,
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        // max_age makes the token say when the person was asked (Core §2), which hear() looks at.
        ...(asking === 'again' ? { prompt: 'login', max_age: '0' } : {}),
        ...(asking === 'never' ? { prompt: 'none' } : {}),
        ...(loginHint === null ? {} : { login_hint: loginHint }),
      })
      return { to, proof: { nonce, state, verifier } }
    },

    /**
     * The requests of one errand, which share ten seconds.
     * @throws GatewayError of the requests: `idp.unreachable`, `idp.invalid-answer`, `idp.rejected` (failure.ts)
     */
    errand(metadata: Metadata): Answers {
      const secret = settings.clientSecret === null ? [] : [settings.clientSecret.reveal()]
      const failing =
        (asked: Asked, ...sent: readonly string[]) =>
        (error: unknown) => {
          throw failureOf(error, asked, [...secret, ...sent])
        }
      const { signal } = deadlines.signal()
      const configuration = () => configure(metadata, wire(metadata, signal))
      return {
        async redeem(reply, { nonce, state, verifier }) {
          const checks = {
            expectedNonce: nonce,
            expectedState: state,
            pkceCodeVerifier: verifier,
            idTokenExpected: true,
          }
          const code = reply.searchParams.get('code') ?? ''
          const failed = failing('the token answer', code, verifier, nonce, state)
          const answer = await authorizationCodeGrant(configuration(), reply, checks).catch(failed)
          return tokensOf(answer)
        },

        async refresh(refreshToken) {
          const failed = failing('the token answer', refreshToken)
          const answer = await refreshTokenGrant(configuration(), refreshToken).catch(failed)
          return tokensOf(answer)
        },

        userinfo: (accessToken, subject) =>
          fetchUserInfo(configuration(), accessToken, subject).catch(failing('the userinfo answer', accessToken)),
      }
    },

    /** @param parameters of RP-Initiated Logout 1.0 §2 */
    logoutAddress(metadata: Metadata, parameters: Readonly<Record<string, string>>): URL {
      return buildEndSessionUrl(configure(metadata, unwired), parameters)
    },
  }
}

type TokenAnswer = Awaited<ReturnType<typeof authorizationCodeGrant>>

/** @throws GatewayError `idp.rejected` it holds an error, and tokens beside it (RFC 6749 §5.1, §5.2): one of the two is not meant */
function tokensOf(answer: TokenAnswer): Tokens {
  if (answer.error !== undefined) {
    throw new GatewayError('idp.rejected', 'the token answer holds an error and tokens')
  }
  const claims = answer.claims()
  return {
    idToken:
      answer.id_token === undefined || claims === undefined ? null : { token: answer.id_token, claims: { ...claims } },
    accessToken: answer.access_token,
    expiresInS: answer.expires_in ?? null,
    refreshToken: answer.refresh_token ?? null,
  }
}

function serverMetadata(metadata: Metadata): ConstructorParameters<typeof Configuration>[0] {
  return {
    issuer: metadata.issuer,
    authorization_endpoint: metadata.authorizationEndpoint,
    token_endpoint: metadata.tokenEndpoint,
    jwks_uri: metadata.jwksUri,
    ...(metadata.userinfoEndpoint === null ? {} : { userinfo_endpoint: metadata.userinfoEndpoint }),
    ...(metadata.endSessionEndpoint === null ? {} : { end_session_endpoint: metadata.endSessionEndpoint }),
    authorization_response_iss_parameter_supported: metadata.namesItselfInCallback,
    id_token_signing_alg_values_supported: [...metadata.signingAlgorithms],
    userinfo_signing_alg_values_supported: [...metadata.userinfoAlgorithms],
  }
}

function clientAuthentication(settings: ClientSettings, metadata: Metadata): ClientAuth {
  const secret = settings.clientSecret
  if (secret === null) return None()
  switch (settings.clientAuthentication ?? metadata.tokenAuthentication) {
    case 'post':
      return ClientSecretPost(secret.reveal())
    case 'basic':
      return (_server, client, _body, headers) => {
        headers.set('authorization', basicCredentials(client.client_id, secret.reveal()))
      }
  }
}
