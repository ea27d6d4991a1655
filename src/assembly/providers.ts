/**
 * The idps of a configuration. One whose settings a reload leaves as they were goes on: what it knows of its idp, keys and
 * metadata, is still good where that idp is away just now.
 */
import { codeRules, readCodeFile } from '../config/access-codes.ts'
import { isSame } from '../config/canonical.ts'
import type { Settings } from '../config/schema.ts'
import { buildProviders, type IdpNeeds } from '../idp/build.ts'
import type { IdentityProvider } from '../model/idp.ts'
import type { Lasting } from './lasting.ts'

type Held = { readonly settings: Settings; readonly providers: ReadonlyMap<string, IdentityProvider> }

/** @param before of the configuration so far; null: there was none */
export function providersOf(settings: Settings, lasting: Lasting, before: Held | null): readonly IdentityProvider[] {
  const kept = before === null ? new Map<string, IdentityProvider>() : keptOf(settings, before)
  const needs = needsOf(settings, lasting)
  return settings.idps.map(idp => kept.get(idp.id) ?? (buildProviders([idp], needs)[0] as IdentityProvider))
}

function keptOf(settings: Settings, before: Held): Map<string, IdentityProvider> {
  const rechecks = (of: Settings) => of.session.recheck !== null
  if (rechecks(settings) !== rechecks(before.settings)) return new Map()
  return new Map(
    settings.idps.flatMap(idp => {
      const earlier = before.settings.idps.find(one => one.id === idp.id)
      const provider = before.providers.get(idp.id)
      return earlier !== undefined && provider !== undefined && isSame(idp, earlier)
        ? [[idp.id, provider] as const]
        : []
    }),
  )
}

/** Apart from everything else of an assembly: a provider that is kept holds what it was given here, and nothing more. */
function needsOf({ session }: Settings, { outbound, wall, report, codes }: Lasting): IdpNeeds {
  // No reload changes the kind of the store.
  const store = { kind: session.store.kind }
  return {
    fetch: outbound.fetch,
    now: wall,
    report,
    allowLoopbackHttp: true,
    rechecks: session.recheck !== null,
    codes: { ...codes, read: ({ file, state }) => readCodeFile(file, codeRules(store, state)) },
  }
}
