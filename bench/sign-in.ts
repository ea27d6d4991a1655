/** Signs in as a person does, redirect by redirect, and keeps what the browser would send from then on. */
import { Browser } from '../test/stand-in/browser-client.ts'

/**
 * @param address of a protected page; a host under .localhost, or 127.0.0.1, with its port
 * @returns the headers of every later request to that host
 * @throws Error when the journey does not end with a 200 at that address
 */
export async function signIn(address: URL): Promise<{ Host: string; Cookie: string }> {
  const browser = new Browser()
  const reply = await browser.navigate(address)
  const cookie = browser.jar.headerFor(address, 'same-site')
  if (reply.status !== 200 || reply.url.href !== address.href || cookie === null)
    throw new Error(`signing in at ${address.href} led to:\n${reply.story}\n${reply.visibleText.slice(0, 500)}`)
  return { Host: address.host, Cookie: cookie }
}
