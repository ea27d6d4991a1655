/** The demonstration's OpenID provider, and a person who signs in there without a browser. */
import type { OutboundFetch } from '../../src/model/outbound.ts'
import { formsIn } from './html-form.ts'

export * from '../../demo/openid-provider.ts'

export interface Person {
  readonly name: string
  readonly password: string
}

/**
 * Goes where our sign-in leads, fills in the provider's form if there is one, and stops where the provider sends the
 * browser back to us.
 *
 * @param address of the authorization request
 * @param fetch   keeps no cookies and follows no redirects; the cookies of one sign-in are kept here
 * @param cookies of the provider, kept between sign-ins by whoever passes the same object: single sign-on
 * @returns the callback's address with its parameters, not asked for
 */
export async function signInAtProvider(
  address: URL,
  person: Person,
  fetch: OutboundFetch,
  cookies: Map<string, string> = new Map(),
): Promise<URL> {
  let next: { url: URL; form: URLSearchParams | null } = { url: address, form: null }
  let filledIn = false
  for (let step = 0; step < 10; step++) {
    const { url, form } = next
    const answer = await fetch(url, {
      method: form === null ? 'GET' : 'POST',
      headers: {
        accept: 'text/html',
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(form === null ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      body: form?.toString() ?? null,
      signal: null,
    })
    keepCookies(answer, cookies)
    const location = answer.headers.get('location')
    if (location !== null) {
      const target = new URL(location, url)
      if (target.origin !== address.origin) return target
      next = { url: target, form: null }
      continue
    }
    const html = await answer.text()
    const [shown] = formsIn(html)
    if (shown === undefined || filledIn) throw new Error(`the provider does not let ${person.name} in: ${html}`)
    filledIn = true
    const fields = new URLSearchParams(Object.fromEntries(shown.fields))
    fields.set('name', person.name)
    fields.set('password', person.password)
    next = { url: new URL(shown.action, url), form: fields }
  }
  throw new Error('the provider sends the browser in circles')
}

function keepCookies(answer: Response, cookies: Map<string, string>): void {
  for (const line of answer.headers.getSetCookie()) {
    const [pair = ''] = line.split(';')
    const at = pair.indexOf('=')
    const value = pair.slice(at + 1)
    if (value === '' || /max-age=0|expires=Thu, 01 Jan 1970/i.test(line)) cookies.delete(pair.slice(0, at))
    else cookies.set(pair.slice(0, at), value)
  }
}
