/** A sign-out at an idp whose page frames ours, in Chromium, which sends no cookie of ours along (FL-01, FL-03; SESSIONS B 6). */
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Chromium, launchChromium } from '../stand-in/chromium.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

let world: TwoIdps
let chromium: Chromium
let sid: string
let page: Page
let framed = ''
/** The idp's own page, and by another name of its host somebody else's. */
const pages = createServer((_request, response) => {
  const body = `<!doctype html><title>Signing out</title><iframe src="${framed.replaceAll('&', '&amp;')}"></iframe>`
  response.writeHead(200, { 'content-type': 'text/html' }).end(body)
})
const pageAt = (host: string) => `http://${host}.localhost:${(pages.address() as AddressInfo).port}/logout`

beforeAll(async () => {
  await new Promise<void>(resolve => pages.listen(0, '127.0.0.1', resolve))
  world = await startTwoIdps()
  chromium = await launchChromium()
})
beforeEach(async () => {
  sid = randomUUID()
  framed = `${world.portal('/frontchannel/op')}?${new URLSearchParams({ iss: world.op.issuer, sid })}`
  world.op.bends.claims = claims => ({ ...claims, sid })
  world.op.bends.metadata = metadata => ({ ...metadata, end_session_endpoint: pageAt('op') })
  page = await chromium.open('en', world.url('app', '/echo'))
})
afterEach(async () => {
  await page.context().close()
  world.invariants()
  world.op.reset()
})
afterAll(async () => {
  await chromium?.close()
  await world?.stop()
  await new Promise(resolve => pages.close(resolve))
})

/** What became of the frame. */
async function frameOn(host: string): Promise<{ cookie: string | undefined; status: number; shown: boolean }> {
  const answered = page.waitForResponse(framed)
  await page.goto(pageAt(host))
  const answer = await answered
  const frame = page.frames().find(one => one !== page.mainFrame())
  const { cookie } = await answer.request().allHeaders()
  return { cookie, status: answer.status(), shown: (await frame?.title()) === 'Passerelle' }
}

const isSignedIn = async () => {
  const answer = await page.goto(world.portal('/'))
  expect(answer?.status()).toBe(200)
  return (await page.content()).includes('Sign out')
}

describe('a page of the idp with our front channel in a frame', () => {
  it('ends the session, without a cookie, and may show the frame (FL-01, FL-03)', async () => {
    expect(await isSignedIn()).toBe(true)
    expect(await frameOn('op')).toEqual({ cookie: undefined, status: 200, shown: true })
    expect(await isSignedIn()).toBe(false)
  })

  it('is a frame that no other origin may show', async () => {
    expect(await frameOn('elsewhere')).toMatchObject({ status: 200, shown: false })
  })
})
