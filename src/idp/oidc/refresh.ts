/**
 * Does the provider still stand by a sign-in, and what does it say of the person now? Asked without the person: with the
 * refresh token where there is one, else at userinfo with the access token of the sign-in, as long as that is good.
 * OpenID Connect Core 1.0 §12; RFC 6749 §6; RFC 6750 §3.1; RFC 9700 §4.14.
 */
import { GatewayError } from '../../errors.ts'
import type { Claims, Identity } from '../../model/identity.ts'
import type { Refreshed } from '../../model/idp.ts'
import type { IdpMemory } from '../../model/session.ts'
import { claimsOf } from './claims.ts'
import type { Members, OidcClient, Tokens } from './client.ts'
import { refusalOf } from './failure.ts'
import { checkIdToken, checkRefreshed } from './id-token.ts'
import type { KeySet } from './key-set.ts'
import { claimsOnlyInIdToken, keptClaims, memoryOf } from './memory.ts'
import type { Metadata } from './metadata.ts'
import { keyWantedBy } from './wanted-key.ts'

export interface RefreshNeeds {
  readonly client: OidcClient
  readonly clientId: string
  readonly keySet: KeySet
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Seconds by which the provider's clock and ours may differ. */
  readonly toleranceS: number
}

export function createRefresh(needs: RefreshNeeds) {
  const { client, now, toleranceS } = needs

  /**
   * @param metadata not older than the provider's last word on being up
   * @throws GatewayError `idp.unreachable`, `idp.invalid-answer`, `idp.rejected`: nothing is known, nothing was given
   */
  return async function refresh(metadata: Metadata, identity: Identity, keep: IdpMemory): Promise<Refreshed> {
    // After a change of the configuration the same id may mean another provider, which must not get this one's tokens.
    if (keep.issuer !== metadata.issuer) return { kind: 'unable', why: 'no token of this issuer was kept' }
    const { refreshToken, accessToken } = keep
    if (refreshToken !== undefined) return byRefreshToken(metadata, identity, keep, refreshToken)
    if (accessToken === undefined || metadata.userinfoEndpoint === null)
      return { kind: 'unable', why: 'the idp gave no refresh token' }
    return byAccessToken(metadata, identity, keep, accessToken)
  }

  async function byRefreshToken(
    metadata: Metadata,
    identity: Identity,
    keep: IdpMemory,
    refreshToken: string,
  ): Promise<Refreshed> {
    // First: a refresh token may be good for a single use, and must not be spent on an answer that nobody can verify.
    await needs.keySet.keysFor(metadata.jwksUri, keyWantedBy(keep.idToken ?? ''))
    const errand = client.errand(metadata)
    const askedAt = now()
    let tokens: Tokens
    try {
      tokens = await errand.refresh(refreshToken)
    } catch (error) {
      if (refusalOf(error) !== 'invalid_grant') throw error
      return { kind: 'ended', why: error instanceof Error ? error.message : String(error) }
    }
    if (tokens.idToken !== null) checkAgain(tokens.idToken, tokens.accessToken, identity, keep, askedAt)
    const memory = (userinfo: Members | null | 'failed') =>
      memoryOf({ issuer: metadata.issuer, tokens, userinfo, askedAt }, true, keep)
    let userinfo: Members | null = null
    try {
      if (metadata.userinfoEndpoint !== null) userinfo = await errand.userinfo(tokens.accessToken, identity.subject)
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      // Whose new tokens these are, nobody has said who can be believed.
      if (tokens.idToken === null && error.code === 'idp.rejected') throw error
      return { kind: 'interrupted', keep: memory('failed'), error }
    }
    return {
      kind: 'renewed',
      claims: claimsNow(tokens.idToken?.claims ?? null, userinfo, keep),
      keep: memory(userinfo),
      notAfter: null,
    }
  }

  async function byAccessToken(
    metadata: Metadata,
    identity: Identity,
    keep: IdpMemory,
    accessToken: string,
  ): Promise<Refreshed> {
    const until = keep.accessTokenUntil === undefined ? null : Number(keep.accessTokenUntil)
    if (until !== null && now() >= until) return { kind: 'unable', why: 'the access token of the sign-in has expired' }
    let userinfo: Members
    try {
      userinfo = await client.errand(metadata).userinfo(accessToken, identity.subject)
    } catch (error) {
      if (refusalOf(error) !== 'invalid_token') throw error
      // Refused before its time it was withdrawn; of one without a time, nobody knows.
      const why = error instanceof Error ? error.message : String(error)
      return until !== null && now() < until - toleranceS * 1000 ? { kind: 'ended', why } : { kind: 'unable', why }
    }
    return { kind: 'renewed', claims: claimsNow(null, userinfo, keep), keep, notAfter: null }
  }

  function checkAgain(
    { token, claims }: NonNullable<Tokens['idToken']>,
    accessToken: string,
    identity: Identity,
    keep: IdpMemory,
    askedAt: number,
  ): void {
    const checked = checkIdToken(token, claims, {
      clientId: needs.clientId,
      accessToken,
      code: null,
      begunAt: askedAt,
      forced: false,
      now: now(),
      toleranceS,
    })
    checkRefreshed(checked, claims, identity.subject, keptClaims(keep))
  }
}

/** Null: the provider said nothing of the person, or only a part, and the rest is not known any more. */
function claimsNow(idToken: Members | null, userinfo: Members | null, keep: IdpMemory): Claims | null {
  if (idToken !== null) return claimsOf(idToken, userinfo)
  const told = userinfo === null ? null : claimsOnlyInIdToken(keep)
  return told === null ? null : claimsOf(told, userinfo)
}
