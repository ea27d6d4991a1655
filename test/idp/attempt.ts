/** One sign-in at the adversarial provider, as the login flow drives it, for the tests in this folder. */
import { buildProviders } from '../../src/idp/build.ts'
import type { OidcSettings } from '../../src/idp/oidc/provider.ts'
import type { GatewayEvent } from '../../src/model/event.ts'
import type { IdentityProvider, IdpPending, SignIn } from '../../src/model/idp.ts'
import type { OutboundFetch } from '../../src/model/outbound.ts'
import { Secret } from '../../src/model/secret.ts'
import { textOf } from '../../src/model/text.ts'
import type { AdversarialOp } from '../stand-in/adversarial-op.ts'
import { noCodes } from '../stand-in/no-codes.ts'

export const callback = new URL('http://acces.localhost:8080/callback/campus')
export const state = 's'.repeat(43)

export interface Gateway {
  readonly provider: IdentityProvider
  readonly events: GatewayEvent[]
}

export function gatewayAt(
  issuer: string,
  needs: { readonly fetch: OutboundFetch; readonly now: () => number },
  oidc: Partial<OidcSettings['oidc']> = {},
  rechecks = false,
  frontChannel: OidcSettings['frontChannel'] = { sid: 'session' },
): Gateway {
  const events: GatewayEvent[] = []
  const settings = {
    id: 'campus',
    label: textOf('Campus'),
    oidc: {
      issuer,
      clientId: 'passerelle',
      clientSecret: new Secret('op-secret'),
      clientAuthentication: null,
      scopes: ['openid', 'email'],
      ...oidc,
    },
    frontChannel,
  }
  const [provider] = buildProviders([settings], {
    ...needs,
    report: event => events.push(event),
    allowLoopbackHttp: true,
    rechecks,
    codes: noCodes,
    random: () => 1,
  })
  if (provider === undefined) throw new Error('one idp makes one provider')
  return { provider, events }
}

export interface Begun {
  readonly to: URL
  readonly idpPending: IdpPending
  readonly begunAt: number
  /** How often the pending sign-in was consumed. */
  taken: number
}

export async function begin({ provider }: Gateway, now: () => number, force = false): Promise<Begun> {
  const { step, idpPending } = await provider.begin(callback, {
    asking: force ? 'again' : 'as-needed',
    loginHint: null,
    state,
  })
  if (step.kind !== 'redirect') throw new Error('OpenID Connect redirects')
  return { to: step.to, idpPending, begunAt: now(), taken: 0 }
}

export async function hear({ provider }: Gateway, begun: Begun, parameters: URLSearchParams): Promise<SignIn> {
  const heard = await provider.hear(
    { method: 'GET', callback, parameters, address: '127.0.0.1', passive: false },
    async () => {
      begun.taken += 1
      return { idpPending: begun.idpPending, state, begunAt: begun.begunAt }
    },
  )
  if (heard.kind !== 'sign-in') throw new Error(`heard ${heard.kind}`)
  return heard.signIn
}

export async function signIn(gateway: Gateway, op: AdversarialOp, now: () => number): Promise<SignIn> {
  const begun = await begin(gateway, now)
  return hear(gateway, begun, op.authorize(begun.to).searchParams)
}
