import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { explain } from '../../src/command/explain.ts'

const env = { SECRET: 'a secret of at least thirty-two bytes, for tests' }

const configuration = `portal: https://acces.example.org
session: { secrets: ["\${env:SECRET}"] }
idps:
  - { id: janus, label: Janus, oidc: { issuer: https://janus.example.org, clientId: p, clientSecret: "\${env:SECRET}" } }
  - { id: pial, label: PIAL, oidc: { issuer: https://pial.example.org, clientId: p, clientSecret: "\${env:SECRET}" } }
claims:
  email: { from: [email, mail] }
policies:
  teachers:
    - { profile: [teacher], school: "0541234A" }
    - { email: "*@partner.example.org" }
resources:
  - id: courses
    title: Courses
    at: https://courses.example.org
    origin: http://10.0.3.4:8080
    policy: teachers
    idps: [janus]
    paths:
      - { match: /admin/, policy: [{ email: head@example.org, address: 192.0.2.0/24 }] }
      - { match: /admin/, methods: [POST], policy: signed-in }
      - { match: /assets/, policy: public }
  - id: intranet
    title: Intranet
    at: https://apps.example.org/intranet/
    origin: http://10.0.3.5/
    policy: signed-in
    logout: { intercept: [/intranet/logout.php], means: local }
`

let folder = ''
let config = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-explain-'))
  config = join(folder, 'p.yaml')
  await writeFile(config, configuration)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function run(...args: string[]): Promise<{ code: number; said: string }> {
  let said = ''
  const out = { write: (text: string) => (said += text) }
  const code = await explain(['--config', config, ...args], out, env)
  return { code, said: said.replaceAll(config, 'p.yaml') }
}

async function withClaims(claims: unknown, ...args: string[]) {
  const file = join(folder, 'claims.json')
  await writeFile(file, typeof claims === 'string' ? claims : JSON.stringify(claims))
  return run('--claims', file, ...args)
}

describe('passerelle explain', () => {
  it('tells why a person is refused, and exits with 1', async () => {
    expect(await withClaims({ sub: 'anna', profile: 'teacher' }, 'https://courses.example.org/toc')).toEqual({
      code: 1,
      said: `raw        sub = [anna]
raw        profile = [teacher]
claim      email = []                         (none of email, mail)
resource   courses            (host courses.example.org, p.yaml:13)
idps       janus                              yes   idp = janus
policy     teachers           (p.yaml:9)
  1 permit profile is "teacher"               yes   profile = [teacher]
    and    school is "0541234A"               no    school = []
  2 permit email is "*@partner.example.org"   no    email = []
decision   deny  no-rule-matched
`,
    })
  })

  it('tells why a person is let in, what the claims were called before, and exits with 0', async () => {
    const claims = { mail: ['a@partner.example.org'], profile: ['guest'] }
    expect(await withClaims(claims, 'https://courses.example.org/')).toEqual({
      code: 0,
      said: `raw        mail = [a@partner.example.org]
raw        profile = [guest]
claim      email = [a@partner.example.org]    (from mail)
resource   courses            (host courses.example.org, p.yaml:13)
idps       janus                              yes   idp = janus
policy     teachers           (p.yaml:9)
  1 permit profile is "teacher"               no    profile = [guest]
    and    school is "0541234A"               no    school = []
  2 permit email is "*@partner.example.org"   yes   email = [a@partner.example.org]
decision   permit  rule 2
`,
    })
  })

  it('finds the rule of the path, of the method and of the address', async () => {
    const claims = { email: 'head@example.org' }
    const from = (address: string, ...more: string[]) =>
      withClaims(claims, 'https://courses.example.org/admin/x?y', '--address', address, ...more)
    expect(await from('192.0.2.7')).toEqual({
      code: 0,
      said: `raw        email = [head@example.org]
claim      email = [head@example.org]         (from email)
resource   courses            (host courses.example.org, p.yaml:13)
path       /admin/            (p.yaml:20)
idps       janus                              yes   idp = janus
policy     resources[0].paths[0].policy (p.yaml:20)
  1 permit address is in 192.0.2.0/24         yes   address = 192.0.2.7
    and    email is "head@example.org"        yes   email = [head@example.org]
decision   permit  rule 1
`,
    })
    expect(await from('198.51.100.1')).toMatchObject({ code: 1 })
    expect((await from('198.51.100.1', '--method', 'POST')).said).toContain('(p.yaml:21)')
  })

  it('without a URL tells what the claims become, nested ones by their path, and exits with 0', async () => {
    const claims = { mail: ['a@partner.example.org', 'b\r\n'], attributes: { school: [{ id: '0541234A' }] }, n: [] }
    expect(await withClaims(claims)).toEqual({
      code: 0,
      said: `raw        mail = [a@partner.example.org, b\\u{d}\\u{a}]
raw        /attributes/school/id = [0541234A]
claim      email = [a@partner.example.org, b\\u{d}\\u{a}] (from mail)
`,
    })
    const many = { mail: Array.from({ length: 300 }, (_, i) => `m${i}`) }
    expect((await withClaims(many)).said).toContain('m18, m19, … 280 more] (from mail)')
  })

  it('tells among what a person would choose', async () => {
    const choosing = '  favourite: { from: [ou], values: { 53: INSB, 55: INEE }, take: chosen }\npolicies:'
    await writeFile(config, configuration.replace('policies:', choosing))
    try {
      const first = 'claim      favourite = [INEE]                 (from ou'
      expect((await withClaims({ ou: ['55', '53', '7'] })).said).toContain(
        `${first}; until the person chooses, the first of [INEE, INSB])\n`,
      )
      expect((await withClaims({ ou: ['55'] })).said).toContain(`${first})\n`)
    } finally {
      await writeFile(config, configuration)
    }
  })

  it('tells what is not believed of the idp, and decides without it', async () => {
    const claims = { sub: 'anna', mail: ['head@example.org', 'a@partner.example.org'], profile: 'teacher' }
    const trusting = configuration.replace('" } }', '" }, asserts: { email: "*@example.org", shoe: any } }')
    await writeFile(config, trusting)
    try {
      const { code, said } = await withClaims(claims, 'https://courses.example.org/')
      expect(code).toBe(1)
      expect(said).toContain('claim      email = [head@example.org]         (from mail; not believed of janus: 1)\n')
      expect(said).toContain('dropped    sub, profile (not believed of janus)\n')
      expect(said).toContain('email is "*@partner.example.org"   no    email = [head@example.org]')
    } finally {
      await writeFile(config, configuration)
    }
  })

  it('says that an e-mail address which is not verified is none', async () => {
    const claims = { email: 'a@partner.example.org', email_verified: false }
    expect(await withClaims(claims, 'https://courses.example.org/')).toMatchObject({ code: 1 })
  })

  it('takes the idp that is named', async () => {
    const { code, said } = await withClaims({}, 'https://courses.example.org/', '--idp', 'pial')
    expect(code).toBe(1)
    expect(said).toContain('decision   deny  idp-not-admitted')
  })

  it('takes nobody where there are no claims', async () => {
    expect((await run('https://apps.example.org/intranet/')).said).toContain('decision   challenge  not signed in')
    expect(await run('https://courses.example.org/assets/x.css')).toMatchObject({ code: 0 })
  })

  it('says where a path is the site’s own logout link, and what it means', async () => {
    const { code, said } = await withClaims({}, 'https://apps.example.org/intranet/logout.php?x')
    expect(code).toBe(0)
    expect(said).toContain(
      'decision   permit  signed-in\nlogout     local              (pressed on a page of the site, this link closes this site only)\n',
    )
    expect((await run('https://apps.example.org/intranet/logout.phpx')).said).not.toContain('logout ')
    expect((await run('https://apps.example.org/intranet/logout.php;x')).said).toMatch(
      /^refused {4}400 request.ambiguous/,
    )
  })

  it('judges the path as it is written, and tells what is refused before any policy', async () => {
    const refused = async (url: string) => (await run(url)).said
    expect(await refused('https://courses.example.org/assets/../admin/')).toMatch(/^refused {4}400 request.ambiguous: /)
    expect(await refused('https://courses.example.org/a\\b')).toMatch(/^refused {4}400 request.malformed: /)
    expect(await refused('https://other.example.org/')).toMatch(/^unknown {4}.* other\.example\.org/)
    expect(await refused('https://acces.example.org/')).toMatch(/^ours /)
    expect(await refused('https://courses.example.org/.passerelle/enter')).toMatch(/^ours /)
    expect(await refused('https://apps.example.org/intranet')).toContain('https://apps.example.org/intranet/')
    expect((await run('https://courses.example.org/assets/été')).code).toBe(0)
  })

  it.each([
    [],
    ['courses.example.org'],
    ['https://'],
    ['https://courses.example.org/', 'https://courses.example.org/'],
    ['https://courses.example.org/', '--claim', 'x'],
    ['https://courses.example.org/', '--claims'],
  ])('shows its usage and exits with 2 for %j', async (...args) => {
    const { code, said } = await run(...args)
    expect(code).toBe(2)
    expect(said).toContain('usage: passerelle explain [URL]')
  })

  it.each([['--help'], ['-h']])('says nothing but its usage where it is asked for it: %s', async arg => {
    const { said } = await run(arg)
    expect(said).toMatch(/^usage: passerelle explain/)
  })

  it('says what is no address', async () => {
    const { said } = await run('courses.example.org')
    expect(said).toMatch(/^"courses\.example\.org" is no address such as https:/)
  })

  it('exits with 2 where claims, idp, address or configuration cannot be understood', async () => {
    const url = 'https://courses.example.org/'
    expect(await withClaims('{', url)).toMatchObject({ code: 2, said: expect.stringContaining('JSON') })
    expect(await withClaims([], url)).toMatchObject({ code: 2, said: expect.stringContaining('JSON object') })
    expect(await withClaims({}, url, '--idp', 'x')).toMatchObject({
      code: 2,
      said: expect.stringContaining('janus, pial'),
    })
    expect(await run(url, '--address', 'x')).toMatchObject({ code: 2, said: expect.stringContaining('no IP address') })
    expect(await run(url, '--claims', join(folder, 'absent.json'))).toMatchObject({ code: 2 })
    expect(await run(url, '--config', join(folder, 'absent.yaml'))).toMatchObject({ code: 2 })
  })
})
