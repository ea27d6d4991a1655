/**
 * OpenID Connect sign-in: authorization code with PKCE, state and nonce. The protocol's messages are openid-client's
 * work; what is asked beside it stands in the files beside this one. Rests on model/ only; knows nothing of sessions
 * or of HTTP servers. OpenID Connect Core 1.0 §3.1; RFC 7636; RFC 9207; RP-Initiated Logout 1.0 §2.
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
} from 'openid-client'
import { GatewayError } from '../../errors.ts'
import type { Report } from '../../model/event.ts'
import type { IdpId } from '../../model/identity.ts'
import type { IdentityProvider, IdpMessage, IdpPending, SignIn, TakePending } from '../../model/idp.ts'
import type { OutboundFetch } from '../../model/outbound.ts'
import type { Secret } from '../../model/secret.ts'
import type { IdpMemory } from '../../model/session.ts'
import type { Text } from '../../model/text.ts'
import { ask } from './ask.ts'
import { basicCredentials } from './basic-credentials.ts'
import { claimsOf } from './claims.ts'
import { createDiscovery } from './discovery.ts'
import { failureOf } from './failure.ts'
import { checkIdToken } from './id-token.ts'
import { createKeySet } from './key-set.ts'
import { isLoopbackHttp, type Metadata } from './metadata.ts'
import { checkIssuer, readReply, saidNo } from './reply.ts'
import { keyWantedBy } from './wanted-key.ts'

export interface OidcSettings {
  readonly id: IdpId
  readonly label: Text
  readonly oidc: {
    readonly issuer: string
    readonly clientId: string
    /** Null: a public client, which has PKCE alone. */
    readonly clientSecret: Secret | null
    /** How the secret is sent; null: as the provider's metadata prefer. */
    readonly clientAuthentication: 'basic' | 'post' | null
    /** `openid` is added where it is missing. */
    readonly scopes: readonly string[]
  }
}

export interface OidcNeeds {
  readonly fetch: OutboundFetch
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly report: Report
  /** An issuer on http and loopback is accepted, for development and tests. */
  readonly allowLoopbackHttp: boolean
  /** 0 to 1, for the back-off. */
  readonly random?: () => number
}

/** By which the idp's clock and ours may differ. */
const toleranceS = 120
/** For a token and a userinfo answer together. */
const answersMs = 10_000
/** How long a person who signs out waits for metadata that we do not have yet. */
const endMs = 3_000
/** Beyond this many servers refuse the address; the hint is then left out, and the idp asks the person. */
const maxLogoutUrl = 7_500
/** A longer token is not kept: as a hint it could not be sent, and the session's record has its own limit. */
const maxKeptToken = 7_000

export function createOidcProvider(settings: OidcSettings, needs: OidcNeeds): IdentityProvider {
  const { clientId } = settings.oidc
  const discovery = createDiscovery(
    { id: settings.id, issuer: settings.oidc.issuer },
    { ...needs, random: needs.random ?? Math.random },
  )
  const keySet = createKeySet(needs)
  const scope = [...new Set(['openid', ...settings.oidc.scopes])].join(' ')

  /** One for each exchange: openid-client remembers keys by it, and the key set remembers them better. */
  function configure(metadata: Metadata, fetch: CustomFetch): Configuration {
    const drift = Math.floor(needs.now() / 1000) - Math.floor(Date.now() / 1000)
    const configuration = new Configuration(
      serverMetadata(metadata),
      clientId,
      { [clockSkew]: drift, [clockTolerance]: toleranceS },
      clientAuthentication(settings.oidc, metadata),
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
      if (url === metadata.jwksUri) return Response.json({ keys: await keySet.keysFor(url, wanted) })
      const answer = await ask(needs.fetch, options.method === 'POST' ? 'POST' : 'GET', new URL(url), {
        headers: options.headers,
        body: options.body instanceof URLSearchParams ? options.body.toString() : null,
        signal,
      })
      wanted = keyWantedBy(await answer.clone().text())
      return answer
    }
  }

  const unwired: CustomFetch = () => Promise.reject(new Error('building an address asks nobody'))

  async function exchange(
    metadata: Metadata,
    message: IdpMessage,
    code: string,
    taken: Awaited<ReturnType<TakePending>>,
  ): Promise<SignIn> {
    const { nonce, verifier } = taken.idpPending
    if (nonce === undefined || verifier === undefined) {
      throw new GatewayError('idp.rejected', 'the pending sign-in holds no nonce or no verifier')
    }
    const signal = AbortSignal.timeout(answersMs)
    // Its address without the query becomes the redirect_uri, so it is the callback's own and never the request's.
    const reply = new URL(message.callback)
    reply.search = message.parameters.toString()
    const tokens = await authorizationCodeGrant(configure(metadata, wire(metadata, signal)), reply, {
      expectedNonce: nonce,
      expectedState: taken.state,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    }).catch((error: unknown) => {
      throw failureOf(error, 'the token answer')
    })

    const idToken = tokens.id_token ?? ''
    const claims = { ...tokens.claims() }
    const checked = checkIdToken(idToken, claims, {
      clientId,
      accessToken: tokens.access_token,
      code,
      begunAt: taken.begunAt,
      forced: taken.idpPending.force !== undefined,
      now: needs.now(),
      toleranceS,
    })
    const userinfo =
      metadata.userinfoEndpoint === null
        ? null
        : await fetchUserInfo(configure(metadata, wire(metadata, signal)), tokens.access_token, checked.subject).catch(
            (error: unknown) => {
              throw failureOf(error, 'the userinfo answer')
            },
          )

    return {
      identity: {
        idp: settings.id,
        subject: checked.subject,
        claims: claimsOf(claims, userinfo),
        authenticatedAt: checked.authenticatedAt,
        strength: { acr: checked.acr, amr: checked.amr },
        idpSession: checked.sid === null ? null : { kind: 'sid', value: checked.sid },
      },
      keep: {
        ...kept('idToken', idToken),
        ...kept('refreshToken', tokens.refresh_token),
      },
      notAfter: null,
    }
  }

  /** Null: there is none, or not soon enough for somebody who wants to leave. */
  async function metadataForEnd(): Promise<Metadata | null> {
    if (discovery.health() === 'down') return null
    const patience = new AbortController()
    const late = new Promise<null>(resolve => {
      const timer = setTimeout(resolve, endMs, null)
      patience.signal.addEventListener('abort', () => clearTimeout(timer))
    })
    const known = discovery.known().catch(() => null)
    return Promise.race([known, late]).finally(() => patience.abort())
  }

  return {
    id: settings.id,
    label: settings.label,

    begin: async (callback, { force, state }) => {
      const metadata = await discovery.fresh()
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
        ...(force ? { prompt: 'login', max_age: '0' } : {}),
      })
      // The issuer goes with the sign-in: the id could mean another idp after a change of the configuration.
      const idpPending: IdpPending = { issuer: metadata.issuer, nonce, verifier, ...(force ? { force: '1' } : {}) }
      return { step: { kind: 'redirect', to }, idpPending }
    },

    hear: async (message, takePending) => {
      const reply = readReply(message.parameters)
      const metadata = await discovery.known()
      checkIssuer(message.parameters, metadata)
      const taken = await takePending()
      if (taken.idpPending.issuer !== metadata.issuer) {
        throw new GatewayError(
          'idp.rejected',
          `the sign-in was begun at ${taken.idpPending.issuer}, not at ${metadata.issuer}`,
        )
      }
      if (message.parameters.get('state') !== taken.state) {
        throw new GatewayError('idp.rejected', "the callback's state is not the one of the pending sign-in")
      }
      if (reply.kind === 'error') throw saidNo(reply)
      try {
        const signIn = await exchange(metadata, message, reply.code, taken)
        if (discovery.health() === 'down') discovery.doubt()
        return { kind: 'sign-in', signIn }
      } catch (error) {
        if (error instanceof GatewayError && error.code === 'idp.unreachable') discovery.doubt()
        throw error
      }
    },

    end: async (keep, returnTo, state) => {
      const metadata = await metadataForEnd()
      if (metadata === null || metadata.endSessionEndpoint === null) return null
      const configuration = configure(metadata, unwired)
      const parameters = { post_logout_redirect_uri: returnTo.href, state }
      const hint = keep.idToken
      const hinted =
        hint === undefined ? null : buildEndSessionUrl(configuration, { ...parameters, id_token_hint: hint })
      const fits = hinted !== null && hinted.href.length <= maxLogoutUrl
      return { kind: 'redirect', to: fits ? hinted : buildEndSessionUrl(configuration, parameters) }
    },

    backChannel: null,
    frontChannel: null,
    refresh: null,

    health: discovery.health,
  }
}

function kept(name: string, token: string | undefined): IdpMemory {
  return token === undefined || token.length > maxKeptToken ? {} : { [name]: token }
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

function clientAuthentication(settings: OidcSettings['oidc'], metadata: Metadata): ClientAuth {
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
