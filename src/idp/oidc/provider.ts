/**
 * OpenID Connect sign-in: authorization code with PKCE, state and nonce. Rests on model/ only; knows nothing of sessions
 * or of HTTP servers. OpenID Connect Core 1.0 §3.1; RFC 7636; RFC 9207; RP-Initiated Logout 1.0 §2.
 */
import { GatewayError } from '../../errors.ts'
import { Deadlines } from '../../model/deadlines.ts'
import type { Report } from '../../model/event.ts'
import type { IdpId } from '../../model/identity.ts'
import type { IdentityProvider, IdpMessage, IdpPending, SignIn, TakePending } from '../../model/idp.ts'
import type { OutboundFetch } from '../../model/outbound.ts'
import type { Text } from '../../model/text.ts'
import { createBackChannel } from './back-channel.ts'
import { claimsOf } from './claims.ts'
import { type ClientSettings, createClient } from './client.ts'
import { createDiscovery } from './discovery.ts'
import { isItsOwnFault } from './failure.ts'
import { createFrontChannel, type FrontChannelSettings } from './front-channel.ts'
import { checkIdToken } from './id-token.ts'
import { createKeySet } from './key-set.ts'
import { memoryOf } from './memory.ts'
import type { Metadata } from './metadata.ts'
import { createRefresh } from './refresh.ts'
import { checkIssuer, readReply, saidNo, saysNobody } from './reply.ts'
import { idpSessionOf } from './sid.ts'

export interface OidcSettings {
  readonly id: IdpId
  readonly label: Text
  readonly oidc: ClientSettings & {
    readonly issuer: string
    /** `openid` is added where it is missing. */
    readonly scopes: readonly string[]
  }
  readonly frontChannel: FrontChannelSettings
}

export interface OidcNeeds {
  readonly fetch: OutboundFetch
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly report: Report
  /** An issuer on http and loopback is accepted, for development and tests. */
  readonly allowLoopbackHttp: boolean
  /** What can ask the provider again is kept for it. */
  readonly rechecks: boolean
  /** 0 to 1, for the back-off. */
  readonly random?: () => number
}

/** By which the idp's clock and ours may differ. */
const toleranceS = 120
/** How long a person who signs out waits for metadata that we do not have yet. */
const endMs = 3_000
/** Beyond this many servers refuse the address; the hint is then left out, and the idp asks the person. */
const maxLogoutUrl = 7_500

export function createOidcProvider(settings: OidcSettings, needs: OidcNeeds): IdentityProvider {
  const { clientId } = settings.oidc
  const discovery = createDiscovery(
    { id: settings.id, issuer: settings.oidc.issuer },
    { ...needs, random: needs.random ?? Math.random },
  )
  const keySet = createKeySet(needs)
  const client = createClient(settings.oidc, { ...needs, keySet, toleranceS })
  const refresh = createRefresh({ client, clientId, keySet, now: needs.now, toleranceS })
  const patience = new Deadlines(endMs)
  const scope = [...new Set(['openid', ...settings.oidc.scopes])].join(' ')

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
    // Its address without the query becomes the redirect_uri, so it is the callback's own and never the request's.
    const reply = new URL(message.callback)
    reply.search = message.parameters.toString()
    const errand = client.errand(metadata)
    const askedAt = needs.now()
    const tokens = await errand.redeem(reply, { nonce, verifier, state: taken.state })

    const { token, claims } = tokens.idToken ?? { token: '', claims: {} }
    const checked = checkIdToken(token, claims, {
      clientId,
      accessToken: tokens.accessToken,
      code,
      begunAt: taken.begunAt,
      forced: taken.idpPending.force !== undefined,
      now: needs.now(),
      toleranceS,
    })
    const userinfo =
      metadata.userinfoEndpoint === null ? null : await errand.userinfo(tokens.accessToken, checked.subject)

    return {
      identity: {
        idp: settings.id,
        subject: checked.subject,
        claims: claimsOf(claims, userinfo),
        authenticatedAt: checked.authenticatedAt,
        strength: { acr: checked.acr, amr: checked.amr },
        idpSession: checked.sid === null ? null : idpSessionOf(checked.sid, claims),
      },
      keep: memoryOf({ issuer: metadata.issuer, tokens, userinfo, askedAt }, needs.rechecks),
      issuedAt: checked.issuedAt,
      notAfter: null,
    }
  }

  /** What an errand tells of the idp's health is looked at anew. */
  async function seen<Answer>(errand: Promise<Answer>): Promise<Answer> {
    try {
      const answer = await errand
      discovery.worked()
      return answer
    } catch (error) {
      if (error instanceof GatewayError && isItsOwnFault(error)) discovery.failed(error)
      throw error
    }
  }

  /** Null: there is none, or not soon enough for somebody who wants to leave. */
  async function metadataForEnd(): Promise<Metadata | null> {
    if (discovery.isGone()) return null
    return patience.within(discovery.known()).catch(() => null)
  }

  const published = { issuer: settings.oidc.issuer, metadata: discovery.known, now: needs.now }

  return {
    id: settings.id,
    label: settings.label,
    prompt: null,

    begin: async (callback, { asking, loginHint, state }) => {
      const metadata = await discovery.fresh()
      const { to, proof } = await client.begin(metadata, { callback, scope, state, asking, loginHint })
      // The issuer goes with the sign-in: the id could mean another idp after a change of the configuration.
      const idpPending: IdpPending = {
        issuer: metadata.issuer,
        nonce: proof.nonce,
        verifier: proof.verifier,
        ...(asking === 'again' ? { force: '1' } : {}),
      }
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
      if (reply.kind === 'error' && message.passive && saysNobody(reply)) return { kind: 'nobody' }
      if (reply.kind === 'error') throw saidNo(reply)
      return { kind: 'sign-in', signIn: await seen(exchange(metadata, message, reply.code, taken)) }
    },

    end: async (keep, returnTo, state) => {
      const metadata = await metadataForEnd()
      if (metadata === null || metadata.endSessionEndpoint === null) return null
      const parameters = { post_logout_redirect_uri: returnTo.href, state }
      const hint = keep.idToken
      const hinted = hint === undefined ? null : client.logoutAddress(metadata, { ...parameters, id_token_hint: hint })
      const fits = hinted !== null && hinted.href.length <= maxLogoutUrl
      return { kind: 'redirect', to: fits ? hinted : client.logoutAddress(metadata, parameters) }
    },

    saysLogout: null,
    backChannel: createBackChannel(settings.id, { ...published, clientId, keySet, toleranceS }),
    frontChannel: createFrontChannel(settings.id, settings.frontChannel, published),
    // Metadata that are fresh: of an idp that is down nobody asks more than one look now and then.
    refresh: async (identity, keep) => {
      const refreshed = await seen(refresh(await discovery.fresh(), identity, keep))
      if (refreshed.kind === 'interrupted' && isItsOwnFault(refreshed.error)) discovery.failed(refreshed.error)
      return refreshed
    },

    health: discovery.health,
    doubt: discovery.doubt,
  }
}
