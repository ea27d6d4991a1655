/**
 * An idp that fails when the person is back from it already, and the access code that is offered in its place: on the page that says
 * so, by one link, to where the person was going. Whoever is signed in notices nothing.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type AdversarialOp, startAdversarialOp } from '../stand-in/adversarial-op.ts'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { type CasServer, failure, startCasServer } from '../stand-in/cas-server.ts'
import { type CodeFile, makeCodeFile } from '../stand-in/code-file.ts'
import { aCodeIdp } from '../stand-in/code-idp.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'

let offsetMs = 0
const now = () => performance.timeOrigin + performance.now() + offsetMs
const minute = 60_000

let op: AdversarialOp
let cas: CasServer
let file: CodeFile
let code: string
let world: TestGateway

const site = (id: string, idps: string) => `
  - id: ${id}
    title: { fr: Site ${id}, en: ${id} site }
    at: "http://${id}.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    idps: [${idps}]
    sharedSubjects: yes
    identity: { headers: { X-Remote-User: "{subject}" } }`
const codes = (of: string) =>
  aCodeIdp(file, `for-${of}`, {
    label: '{ fr: Code de secours, en: Emergency code }',
    offered: `{ when: unavailable, of: ${of} }`,
  })

beforeAll(async () => {
  op = await startAdversarialOp(now)
  cas = await startCasServer()
  file = await makeCodeFile()
  code = await file.add()
  world = await startTestGateway({
    surroundings: { now, wall: now },
    idps: `
  - id: op
    label: { fr: Fournisseur, en: Provider }
    oidc: { issuer: "${op.issuer}", clientId: ${op.clientId}, clientSecret: "${op.clientSecret}" }
  - id: cas
    label: { fr: Serveur CAS, en: CAS server }
    cas: { server: "${cas.server}" }${codes('op')}${codes('cas')}`,
    files: { [file.path]: '' },
    resources: site('op', 'op, for-op') + site('cas', 'cas, for-cas'),
  })
})
afterEach(async () => {
  await mend()
  // What was seen of the last fault is forgotten, and every back-off and cool-down over.
  offsetMs += 60 * minute
})
afterAll(async () => {
  await world?.stop()
  await op?.stop()
  await cas?.stop()
  await file?.remove()
})

async function mend(): Promise<void> {
  op.reset()
  op.bends.subject = 'alice'
  cas.reset()
}

const page = '/echo?article=12'
const html = '<!doctype html><html><body>Back soon<br></body></html>'
const linkTo = 'Emergency code'
const person = () => new Browser({ language: 'en' })

async function enter(id: string, browser = person()): Promise<Reply> {
  return browser.navigate(world.url(id, page))
}

interface Fault {
  readonly id: 'op' | 'cas'
  readonly what: string
  readonly begin: () => void | Promise<void>
  readonly status: number
}

const forged = (header: Readonly<Record<string, unknown>>, payload: string) =>
  [JSON.stringify({ ...header, kid: 'nobody has this' }), payload, 'x'.repeat(256)]
    .map(part => Buffer.from(part).toString('base64url'))
    .join('.')

const faults: readonly Fault[] = [
  {
    id: 'op',
    what: 'cuts the line at the token request',
    begin: () => {
      op.bends.wire.token = request => void request.socket.destroy()
    },
    status: 503,
  },
  {
    id: 'op',
    what: 'answers the token request with 500',
    begin: () => {
      op.bends.wire.token = (_, response) => void response.writeHead(500).end('{}')
    },
    status: 503,
  },
  {
    id: 'op',
    what: 'answers the token request with a page',
    begin: () => {
      op.bends.wire.token = (_, response) => void response.end(html)
    },
    status: 502,
  },
  {
    id: 'op',
    what: 'signs with a key that it does not publish',
    begin: () => {
      op.bends.idToken = forged
    },
    status: 400,
  },
  {
    id: 'op',
    what: 'publishes other keys under the names of those it signs with',
    begin: () => {
      op.bends.idToken = async (header, payload) => (await op.sign(header, payload)).replace(/.{8}$/, 'AAAAAAAA')
    },
    status: 400,
  },
  {
    id: 'cas',
    what: 'cuts the line at the validation',
    begin: () => {
      cas.bends.validation = request => void request.socket.destroy()
    },
    status: 503,
  },
  {
    id: 'cas',
    what: 'answers the validation with a page',
    begin: () => {
      cas.bends.validation = (_, response) => void response.end(html)
    },
    status: 502,
  },
  {
    id: 'cas',
    what: 'fails inside itself',
    begin: () => {
      cas.bends.validation = (_, response) =>
        void response.end(
          `<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">${failure('INTERNAL_ERROR', 'oops')}</cas:serviceResponse>`,
        )
    },
    status: 502,
  },
]

/** Each costs the ten seconds after which nobody waits any longer. */
const silences: readonly Fault[] = [
  {
    id: 'op',
    what: 'says nothing to the token request',
    begin: () => {
      op.bends.wire.token = () => {}
    },
    status: 503,
  },
  {
    id: 'cas',
    what: 'says nothing at the validation',
    begin: () => {
      cas.bends.validation = () => {}
    },
    status: 503,
  },
]

describe.each(silences)('an idp ($id) that $what', fault => {
  it('leaves the sessions alone, and offers the code likewise', () => offersTheCode(fault))
})

describe.each(faults)('an idp ($id) that $what', fault => {
  const { id, begin } = fault

  it('leaves the sessions alone that are open, and offers the code on the page that says so, which leads to the page that was asked for', () =>
    offersTheCode(fault))

  it('is up again with the next sign-in that succeeds, and the code is no longer offered', async () => {
    await mend()
    await begin()
    await enter(id)
    const browser = person()
    const chooser = await browser.navigate(world.url(id, page))
    expect(chooser.visibleText).toContain(linkTo)
    const typing = person()
    const form = await typing.submit(await typing.navigate(world.url(id, page)), { idp: `for-${id}` }, '/login')
    await mend()
    const arrived = await browser.submit(chooser, {}, id === 'op' ? 'Provider' : 'CAS server')
    expect([arrived.status, arrived.url.href], arrived.story).toEqual([200, world.url(id, page)])
    expect(world.events.findLast(({ name }) => name.startsWith('idp.'))).toEqual({ name: 'idp.up', idp: id })
    const late = await typing.submit(form, { code })
    expect([late.status, late.visibleText.includes('no longer offered')]).toEqual([403, true])
    expect((await enter(id)).hops.some(hop => hop.url.pathname.startsWith('/callback/'))).toBe(true)
  })

  it('counts as down for five minutes and no longer where nobody tries it', async () => {
    await mend()
    await begin()
    await enter(id)
    expect((await enter(id)).visibleText).toContain(linkTo)
    await mend()
    offsetMs += 5 * minute
    const reply = await enter(id)
    expect([reply.status, reply.url.href], reply.story).toEqual([200, world.url(id, page)])
  })
})

describe('an idp that says no to one person', () => {
  it.each([
    [
      'op',
      'OpenID Connect',
      () => {
        op.bends.callback = query => query.set('code', 'never-given')
      },
    ],
    ['op', 'OpenID Connect, on its own page', refusedByThePerson],
    [
      'cas',
      'CAS',
      () => {
        cas.bends.validation = (_, response) => void response.end(refusedTicket)
      },
    ],
  ])('is not away: no code is offered (%s, %s)', async (id, _, begin) => {
    await mend()
    begin()
    const refused = await enter(id)
    expect(refused.status, refused.story).toBe(400)
    expect(refused.links.filter(({ text }) => text.includes(linkTo))).toEqual([])
    await mend()
    expect((await enter(id)).url.href).toBe(world.url(id, page))
  })
})

const refusedTicket = `<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">${failure('INVALID_TICKET', 'no')}</cas:serviceResponse>`

function refusedByThePerson(): void {
  op.bends.callback = query => {
    query.delete('code')
    query.set('error', 'access_denied')
  }
}

describe('an idp whose keys changed', () => {
  it('signs people in all the same, and no code is offered', async () => {
    await mend()
    const inside = person()
    await enter('op', inside)
    offsetMs += minute
    await op.rotate()
    const reply = await enter('op')
    expect([reply.status, reply.url.href], reply.story).toEqual([200, world.url('op', page)])
    expect((await inside.fetch(world.url('op', '/echo'))).status).toBe(200)
    expect((await person().navigate(world.portal('/login'))).visibleText).not.toContain(linkTo)
  })
})

async function offersTheCode({ id, begin, status }: Fault): Promise<void> {
  await mend()
  const inside = person()
  expect((await enter(id, inside)).status).toBe(200)
  await begin()
  const browser = person()
  const away = await enter(id, browser)
  expect([away.status, away.url.pathname.startsWith(`/callback/${id}`)], away.story).toEqual([status, true])
  expect(away.links.filter(({ text }) => text.includes(linkTo))).toHaveLength(1)
  expect(world.events).toContainEqual(expect.objectContaining({ name: 'idp.down', idp: id }))
  // It is found where it is looked for: that does not take the offer back while somebody types.
  const form = await browser.click(away, linkTo)
  expect(form.text).toContain('name="code"')
  await person().navigate(world.portal('/login'))
  offsetMs += 4 * minute
  const arrived = await browser.submit(form, { code })
  expect([arrived.status, arrived.url.href], arrived.story).toEqual([200, world.url(id, page)])
  expect(world.origin.requests.at(-1)?.header('x-remote-user')).toBe(`code:${code.slice(0, 4)}`)
  expect((await inside.fetch(world.url(id, '/echo'))).status).toBe(200)
}
