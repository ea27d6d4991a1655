/** What a CAS server's answer may be made of, and who may be whom by it (docs/sessions.md A7; attack cases CA). */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import { type CasServer, startCasServer } from '../stand-in/cas-server.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'

let cas: CasServer
let world: TestGateway
beforeAll(async () => {
  cas = await startCasServer()
  world = await startTestGateway({
    idps: `
  - id: old
    label: Old server
    cas: { server: "${cas.server}" }`,
    resources: `
  - id: app
    title: Application
    at: "http://app.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    idps: [old]
    identity: { headers: { X-Remote-User: "{subject}" } }
`,
  })
})
afterEach(() => {
  world.origin.forget()
  world.invariants()
  cas.reset()
})
afterAll(async () => {
  await world.stop()
  await cas.stop()
})

const answerFor = (user: string, declaration = '') =>
  `${declaration}<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas"><cas:authenticationSuccess><cas:user>${user}</cas:user></cas:authenticationSuccess></cas:serviceResponse>`

function answers(bytes: Uint8Array, type: string): void {
  cas.bends.validation = (_, response) => response.writeHead(200, { 'Content-Type': type }).end(bytes)
}

/** Whom the site is told; null: nobody was let in. */
async function signedInAs(): Promise<string | null> {
  world.origin.forget()
  const page = await new Browser().navigate(world.url('app', '/echo'))
  if (page.status !== 200) return null
  return Buffer.from(world.origin.requests.at(-1)?.header('x-remote-user') ?? '', 'latin1').toString()
}

const latin1 = (text: string) => Buffer.from(text, 'latin1')

it.each([
  ['header', 'text/xml; charset=ISO-8859-1', ''],
  ['XML declaration', 'text/xml', '<?xml version="1.0" encoding="iso-8859-1"?>'],
])(
  'two people of an old server whose names differ in an accent are two, where its %s says how it writes',
  async (_, type, declaration) => {
    const told: (string | null)[] = []
    for (const user of ['andré', 'andrè', 'andrÃ©']) {
      answers(latin1(answerFor(user, declaration)), type)
      told.push(await signedInAs())
    }
    expect(told).toEqual(['andré', 'andrè', 'andrÃ©'])
  },
)

it.each([
  ['says nothing of its encoding', latin1(answerFor('andré')), 'text/xml'],
  ['writes another than it says', latin1(answerFor('andré')), 'text/xml; charset=UTF-8'],
  ['says an encoding that there is not', latin1(answerFor('alice')), 'text/xml; charset=klingon'],
  ['hides its elements in UTF-7', latin1(answerFor('alice').replaceAll('<', '+ADw-')), 'text/xml; charset=utf-7'],
  ['writes UTF-16 and does not say so', Buffer.from(`\ufeff${answerFor('alice')}`, 'utf16le'), 'text/xml'],
  ['cuts a letter in two', Buffer.concat([latin1(answerFor('ali').slice(0, 120)), Buffer.from([0xc3])]), 'text/xml'],
  [
    'laughs a billion times',
    latin1(
      `<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>${answerFor('&c;')}`,
    ),
    'text/xml',
  ],
])('whoever comes with an answer that %s is nobody', async (_, bytes, type) => {
  answers(bytes, type)
  expect(await signedInAs()).toBeNull()
  expect(await world.gateway.sessions.of({ idp: 'old', subject: 'alice' })).toEqual([])
})

it('an answer in UTF-16 that says so is read', async () => {
  answers(Buffer.from(`\ufeff${answerFor('zoë')}`, 'utf16le'), 'text/xml; charset=utf-16')
  expect(await signedInAs()).toBe('zoë')
})
