/** From the idps of the configuration to providers. Each entry's kind is the key that it has. */
import type { IdentityProvider } from '../model/idp.ts'
import { type CasIdpSettings, createCasProvider } from './cas/provider.ts'
import { type CodeIdpSettings, type CodeNeeds, createCodeProvider } from './code/provider.ts'
import { createOidcProvider, type OidcNeeds, type OidcSettings } from './oidc/provider.ts'

export type IdpSettings = OidcSettings | CasIdpSettings | CodeIdpSettings

export type IdpNeeds = OidcNeeds & CodeNeeds

/** In the order of the configuration. Asks nobody anything: a provider finds its idp when it is first needed. */
export function buildProviders(settings: readonly IdpSettings[], needs: IdpNeeds): readonly IdentityProvider[] {
  return settings.map(idp => {
    if ('cas' in idp) return createCasProvider(idp, needs)
    return 'codes' in idp ? createCodeProvider(idp, needs) : createOidcProvider(idp, needs)
  })
}

/** Those whose claims the operator wrote, in the names and values of the policies. */
export function namedIdps(settings: readonly { readonly id: string }[]): ReadonlySet<string> {
  return new Set(settings.flatMap(idp => ('codes' in idp ? idp.id : [])))
}
