/**
 * The assembled gateway with two idps: `campus`, a real provider, and `op`, which signs alice in unasked with a single
 * redirect, and lies as told. Sites: app and plain (op's people), any (everyone's), campus (the campus' people).
 */
import { aSite } from './a-site.ts'
import { type AdversarialOp, startAdversarialOp } from './adversarial-op.ts'
import type { Browser } from './browser-client.ts'
import type { Reply } from './browser-reply.ts'
import { startTestGateway, type TestGateway, type TestGatewayOptions } from './gateway.ts'

export interface TwoIdps extends TestGateway {
  readonly op: AdversarialOp
  /** Goes there without following the redirect to the provider; the answer's Location is the provider's address. */
  readonly toProvider: (browser: Browser, url: string) => Promise<Reply>
  /** The callback's address with a code of this person, for an answer of `toProvider`; not asked for. */
  readonly callback: (toProvider: Reply, subject?: string) => URL
}

const site = (id: string, idps: string) => aSite(id, [idps], { title: `{ fr: Site ${id}, en: ${id} site }` })

/** @param sharedOp of another gateway, which then also stops it */
export async function startTwoIdps(
  options: TestGatewayOptions & {
    /** YAML of the other provider's `frontChannel`. */
    readonly opFrontChannel?: string
    /** Beside the two; YAML list items, indented by two spaces. */
    readonly moreIdps?: string
  } = {},
  sharedOp: AdversarialOp | null = null,
): Promise<TwoIdps> {
  const op = sharedOp ?? (await startAdversarialOp(options.surroundings?.now))
  const honest = () => {
    op.bends.subject = 'alice'
  }
  honest()
  const world = await startTestGateway({
    idps: `
  - id: op
    label: { fr: Fournisseur, en: Other provider }
    help: { label: Help, url: "https://help.example.org/" }
    oidc: { issuer: "${op.issuer}", clientId: ${op.clientId}, clientSecret: "${op.clientSecret}" }
    frontChannel: ${options.opFrontChannel ?? '{}'}${options.moreIdps ?? ''}`,
    resources: [
      site('app', 'idps: [op]'),
      site('plain', 'idps: [op]'),
      site('any', 'sharedSubjects: yes'),
      site('campus', 'idps: [campus]'),
    ].join(''),
    ...options,
  })
  return {
    ...world,
    op: {
      ...op,
      reset() {
        op.reset()
        honest()
      },
    },

    toProvider: (browser, url) =>
      browser.navigate(url, { follow: reply => reply.redirect?.origin !== op.issuer && reply.redirect !== null }),

    callback(toProvider, subject = 'alice') {
      if (toProvider.redirect === null) throw new Error(`no redirect to the provider:\n${toProvider.story}`)
      return op.authorize(toProvider.redirect, subject)
    },

    async stop() {
      await world.stop()
      if (sharedOp === null) await op.stop()
    },
  }
}
