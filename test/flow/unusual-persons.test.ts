/**
 * Persons whom no example has: of whom the idp says nothing but who they are; whose name has markup in it, or ends a line; who are
 * in three hundred groups. By each protocol: on the pages that show them, in what the sites are told, and to an operator who asks why.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { explain } from '../../src/command/explain.ts'
import { type AdversarialOp, startAdversarialOp } from '../stand-in/adversarial-op.ts'
import { Browser } from '../stand-in/browser-client.ts'
import { type CasServer, escaped, startCasServer } from '../stand-in/cas-server.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'

type Said = Readonly<Record<string, readonly string[]>>

interface Way {
  readonly id: 'op' | 'cas'
  /** Under the names that it has for name and groups. */
  readonly say: (said: Said) => void
}

let op: AdversarialOp
let cas: CasServer
let world: TestGateway
let folder = ''

const ways: readonly (readonly [string, Way])[] = [
  [
    'OpenID Connect',
    {
      id: 'op',
      say(said) {
        op.bends.subject = 'alice'
        op.bends.userinfo = () => ({ sub: 'alice', ...said })
      },
    },
  ],
  [
    'CAS',
    {
      id: 'cas',
      say(said) {
        const lines = Object.entries(said).flatMap(([name, values]) =>
          values.map(value => `<cas:${name}>${escaped(value)}</cas:${name}>`),
        )
        cas.bends.attributes = `<cas:attributes>${lines.join('')}</cas:attributes>`
      },
    },
  ],
]

const sites = (way: string) =>
  [
    ['open', 'signed-in'],
    ['staff', '[{ groups: staff }]'],
    ['closed', '[{ groups: nobody-is }]'],
  ]
    .map(
      ([site, policy]) => `
  - id: ${site}-${way}
    title: ${site}
    at: "http://${site}-${way}.localhost:$PORT"
    origin: "$ORIGIN"
    idps: [${way}]
    policy: ${policy}
    identity: { headers: { X-Remote-User: "{subject}", X-Name: "{displayName}", X-Groups: "{groups}" } }`,
    )
    .join('')

const claims = 'claims: { displayName: { from: [cn] }, groups: { from: [memberOf] } }'

beforeAll(async () => {
  op = await startAdversarialOp()
  cas = await startCasServer()
  folder = await mkdtemp(join(tmpdir(), 'passerelle-persons-'))
  world = await startTestGateway({
    idps: `
  - { id: op, label: Fournisseur, oidc: { issuer: "${op.issuer}", clientId: ${op.clientId}, clientSecret: "${op.clientSecret}" } }
  - { id: cas, label: Serveur, cas: { server: "${cas.server}" } }`,
    resources: sites('op') + sites('cas'),
    more: `${claims}\nfront: { groupBy: groups }`,
  })
})
beforeEach(() => world.origin.forget())
afterEach(() => world.invariants())
afterAll(async () => {
  await world?.stop()
  await op?.stop()
  await cas?.stop()
  await rm(folder, { recursive: true, force: true })
})

const utf8 = (bytes: string) => Buffer.from(bytes, 'latin1').toString('utf8')

describe.each(ways)('by %s', (_, way) => {
  /** Signed in at the open site, in French. */
  async function signIn(said: Said): Promise<Browser> {
    way.say(said)
    const browser = new Browser({ language: 'fr' })
    const reply = await browser.navigate(world.url(`open-${way.id}`, '/echo'))
    expect(reply.status, reply.story).toBe(200)
    return browser
  }

  const told = (name: string) => world.origin.requests.at(-1)?.headers(name).map(utf8) ?? []

  /** Front page, my sessions, the question before a sign-out, and a refusal: all that show a person. */
  async function pages(browser: Browser) {
    const front = await browser.navigate(world.portal('/'))
    const sessions = await browser.navigate(world.portal('/sessions'))
    const logout = await browser.navigate(world.portal('/logout'))
    const refused = await browser.navigate(world.url(`closed-${way.id}`, '/x'))
    expect([front, sessions, logout, refused].map(({ status }) => status)).toEqual([200, 200, 200, 403])
    return { front, refused, all: [front, sessions, logout, refused] }
  }

  /** What `passerelle explain` says of the same claims at the open site. */
  async function explained(said: Said): Promise<string> {
    const config = join(folder, 'p.yaml')
    const file = join(folder, 'claims.json')
    await writeFile(
      config,
      `portal: https://acces.example.org
session: { secrets: ["\${env:SECRET}"] }
idps:
  - { id: op, label: F, oidc: { issuer: "https://op.example.org", clientId: p, clientSecret: "\${env:SECRET}" } }
  - { id: cas, label: S, cas: { server: "https://cas.example.org/cas" } }
${claims}
resources:
  - { id: s, title: S, at: "https://s.example.org", origin: "http://10.0.0.1", policy: [{ groups: staff }] }
`,
    )
    await writeFile(file, JSON.stringify(said))
    let text = ''
    const env = { SECRET: 'a secret of at least thirty-two bytes, for tests' }
    const arguments_ = ['--config', config, '--claims', file, '--idp', way.id, 'https://s.example.org/']
    await explain(arguments_, { write: piece => (text += piece) }, env)
    return text
  }

  it('a person with no optional claim is let in, called nothing, told what is missing, and may leave', async () => {
    const browser = await signIn({})
    expect([told('x-remote-user'), told('x-name'), told('x-groups')]).toEqual([['alice'], [], []])
    const { front, refused, all } = await pages(browser)
    expect(front.visibleText).toContain('votre compte ne nous a transmis aucun groupe')
    expect(front.visibleText).not.toContain('Bonjour')
    expect(refused.visibleText).toContain('votre compte ne nous a transmis aucun groupe')
    for (const page of all) {
      expect(page.text).not.toMatch(/<bdi><\/bdi>|undefined|null|alice/)
      expect(page.links.some(({ href }) => href.endsWith('/logout')) || page.text.includes('action="/logout"')).toBe(
        true,
      )
    }
    const why = await explained({})
    expect(why).toContain('displayName = []')
    expect(why).toContain('groups = []')
  })

  it('a person with Unicode and markup in the name is called so, as text, everywhere', async () => {
    const name = 'Zoë "李" <b onclick=alert(1)>O’Né</b></title><script>alert(1)</script> & Cie'
    const said = { cn: [name], memberOf: ['<img src=x>', 'staff'] }
    const browser = await signIn(said)
    expect(told('x-name')).toEqual([name])
    expect(told('x-groups')).toEqual(['<img src=x>;staff'])
    const { front, all } = await pages(browser)
    expect(front.text).toContain('Zoë &#34;李&#34; &lt;b onclick=alert(1)&gt;O’Né')
    for (const page of all) {
      expect(page.text).not.toMatch(/<script|<b onclick|<img/)
      expect(page.header('content-security-policy')).toContain("default-src 'none'")
    }
    expect(await explained(said)).toContain(`displayName = [${name}]`)
  })

  it('CR LF inside a claim ends no header, adds none, and breaks no line of explain or of the log', async () => {
    const name = 'Anne\r\nX-Remote-User: mallory\r\n\r\nGET /adm HTTP/1.1'
    const said = { cn: [name], memberOf: ['staff\r\nother', 'other\nstaff'] }
    const browser = await signIn(said)
    expect(world.origin.requests.map(request => request.headers('x-remote-user'))).toEqual([['alice']])
    expect(told('x-name')).toEqual(['Anne%0D%0AX-Remote-User: mallory%0D%0A%0D%0AGET /adm HTTP/1.1'])
    expect(told('x-groups')).toEqual(['staff%0D%0Aother;other%0Astaff'])
    // No line of a value is the value of a rule.
    expect((await browser.navigate(world.url(`staff-${way.id}`, '/x'))).status).toBe(403)
    const { front } = await pages(browser)
    expect(front.visibleText).toContain('X-Remote-User: mallory')
    const why = await explained(said)
    expect(why).toContain('displayName = [Anne\\u{d}\\u{a}X-Remote-User: mallory')
    expect(why.split('\n').some(line => line.startsWith('X-Remote-User') || line.startsWith('GET '))).toBe(false)
    for (const line of world.log) expect(() => JSON.parse(line)).not.toThrow()
    expect(world.log.join('')).not.toContain('mallory')
  })

  it('300 values of one claim all count, reach the site whole, and make no page long', async () => {
    const memberOf = [...Array.from({ length: 299 }, (_, nth) => `groupe-${nth}`), 'staff']
    const said = { cn: ['Anne'], memberOf }
    const browser = await signIn(said)
    expect(told('x-groups')).toEqual([memberOf.join(';')])
    expect((await browser.navigate(world.url(`staff-${way.id}`, '/x'))).status).toBe(200)
    const { front, refused, all } = await pages(browser)
    expect(front.visibleText).toContain('Et 280 autres valeurs.')
    // The value that opens it is not among the twenty that are listed: the site is, all the same.
    expect(front.visibleText).toMatch(/Autres sites ouverts à votre compte.*staff.*Fermés à ce compte/s)
    expect(refused.visibleText).toMatch(/groupe-0.*et 28\d autres/s)
    for (const page of all) expect(Buffer.byteLength(page.text)).toBeLessThan(20_000)
    const why = await explained(said)
    expect(why).toContain('280 more]')
    expect(why).toContain('permit')
  })
})
