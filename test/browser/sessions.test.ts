/** The forms that close sessions, pressed in Chromium under the policies that they are served with. */
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Chromium, launchChromium } from '../stand-in/chromium.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

let world: TwoIdps
let chromium: Chromium
const people: BrowserContext[] = []
beforeAll(async () => {
  world = await startTwoIdps({ session: '  perPerson: { limit: 2, beyond: ask }' })
  chromium = await launchChromium()
})
afterEach(async () => {
  await Promise.all(people.splice(0).map(person => person.close()))
  world.invariants()
})
afterAll(async () => {
  await chromium?.close()
  await world?.stop()
})

async function open(url: string): Promise<Page> {
  const page = await chromium.open('en', url)
  people.push(page.context())
  return page
}

describe('in Chromium', () => {
  it('the question leads on to the site once it is answered, and “my sessions” closes one, and everything', async () => {
    const first = await open(world.url('app', '/echo?first'))
    const second = await open(world.url('app', '/echo?second'))
    const third = await open(world.url('app', '/echo?third'))
    expect(await third.textContent('h1')).toContain('Which session shall we close?')
    await third.click('button >> nth=0')
    await third.waitForURL(world.url('app', '/echo?third'))
    // The oldest stood first; its next page finds no place, and asks in its turn.
    await first.reload()
    expect(await first.textContent('h1')).toContain('Which session shall we close?')

    await third.goto(world.portal('/'))
    await third.click('text=My sessions')
    expect(await third.textContent('h1')).toBe('My open sessions')
    await third.click('.things button')
    await third.waitForSelector('text=No other session is open')
    await second.reload()
    // There is room now: it has signed in anew.
    expect(second.url()).toBe(world.url('app', '/echo?second'))

    await third.goto(world.portal('/sessions'))
    await third.click('text=Close everything')
    await third.waitForURL(address => address.pathname !== '/sessions')
    expect(await world.gateway.sessions.of({ idp: 'op', subject: 'alice' })).toEqual([])
  })
})
