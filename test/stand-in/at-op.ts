/** People who signed in at the adversarial provider of two-idps.ts, and what becomes of them when it says that they are gone. */
import { Browser } from './browser-client.ts'
import type { TwoIdps } from './two-idps.ts'

/**
 * @param now milliseconds since the epoch, of the browser
 * @returns `signedIn`: a person whose ID token names this session of the idp's, null: none; `statusOf`: of the site, to a script
 */
export function atOp(now: () => number) {
  return {
    async signedIn(world: TwoIdps, sid: string | null, subject = 'alice'): Promise<Browser> {
      world.op.bends.subject = subject
      world.op.bends.claims = claims => (sid === null ? claims : { ...claims, sid })
      const browser = new Browser({ language: 'en', now })
      const page = await browser.navigate(world.url('app', '/echo'))
      if (page.status !== 200) throw new Error(`${subject} could not sign in: ${page.status}\n${page.text}`)
      return browser
    },

    statusOf: async (world: TwoIdps, browser: Browser) => (await browser.fetch(world.url('app', '/echo'))).status,
  }
}
