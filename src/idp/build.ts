/** From the idps of the configuration to providers. Each entry's kind is the key that it has. */
import type { IdentityProvider } from '../model/idp.ts'
import { type CasIdpSettings, createCasProvider } from './cas/provider.ts'
import { createOidcProvider, type OidcNeeds, type OidcSettings } from './oidc/provider.ts'

export type IdpSettings = OidcSettings | CasIdpSettings

export type IdpNeeds = OidcNeeds

/** In the order of the configuration. Asks nobody anything: a provider finds its idp when it is first needed. */
export function buildProviders(settings: readonly IdpSettings[], needs: IdpNeeds): readonly IdentityProvider[] {
  return settings.map(idp => ('cas' in idp ? createCasProvider(idp, needs) : createOidcProvider(idp, needs)))
}
