import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadSettings } from '../../src/config/load.ts'
import { selfSigned } from '../stand-in/certificate.ts'
import { env, parse, settingsOf } from './valid.ts'

const site = `
resources:
  - id: courses
    title: { en: Courses }
    at: https://courses.example.org
    origin: http://10.0.3.4:8080/app/
    policy: [{ profile: [teacher, 2026], not: { idp: campus } }]
    paths:
      - { match: /assets/, methods: [get], policy: public }
      - { match: /forum/, policy: staff }
policies:
  staff: [{ affiliation: "*@example.edu", address: [192.0.2.0/24, 192.0.2.7], method: POST }]
`

describe('settings', () => {
  it('are milliseconds, URLs and texts in every language, ready to be used', async () => {
    const { portal, drain, resources, listen } = await settingsOf(site)
    expect(portal).toEqual(new URL('https://acces.example.org/'))
    expect(drain).toEqual({ wait: 5000, timeout: 30_000 })
    expect(listen).toEqual({ address: { host: '127.0.0.1', port: 8080 }, tls: null, trustedProxies: [] })
    expect(resources[0]).toMatchObject({
      title: { fr: 'Courses', en: 'Courses' },
      origin: new URL('http://10.0.3.4:8080/app/'),
      idps: null,
      sharedSubjects: false,
      timeouts: { connect: 5000, answer: 60_000, idle: 300_000 },
    })
  })

  it('have rules as lists of conditions, scalars as text', async () => {
    const { policies, resources } = await settingsOf(site)
    expect(resources[0]?.policy).toEqual({
      kind: 'rules',
      rules: [
        {
          conditions: [
            { kind: 'claim', claim: 'profile', anyOf: ['teacher', '2026'], negated: false },
            { kind: 'idp', anyOf: ['campus'], negated: true },
          ],
        },
      ],
    })
    expect(policies.staff?.[0]?.conditions).toContainEqual({
      kind: 'address',
      anyOf: ['192.0.2.0/24', '192.0.2.7/32'],
      negated: false,
    })
    expect(resources[0]?.paths).toEqual([
      { match: '/assets/', methods: ['GET'], policy: { kind: 'public' } },
      { match: '/forum/', methods: null, policy: { kind: 'named', name: 'staff' } },
    ])
  })

  it('keep an issuer letter by letter, because it is compared so (OpenID Connect Core §3.1.3.7)', async () => {
    const { idps } = await settingsOf('')
    expect(idps).toMatchObject([{ oidc: { issuer: 'https://sso.example.edu' } }])
  })

  it('hold what the files hold that they name', async () => {
    const { certificate, key } = selfSigned(['acces.example.org'])
    const files = { 'tls/cert.pem': certificate, '/run/key.pem': key }
    const { listen } = await settingsOf('listen: { tls: { certificate: tls/cert.pem, key: /run/key.pem } }', files)
    expect(listen.tls).toEqual({ certificate, key })
  })

  it.each([
    [
      'a certificate that is cut short',
      { certificate: '-----BEGIN CERTIFICATE-----\nAAAA\n' },
      'certificate cannot be read',
    ],
    ['a key that is cut short', { key: '-----BEGIN PRIVATE KEY-----\nAAAA\n' }, 'private key cannot be read'],
    [
      'a key under a passphrase',
      { key: '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n' },
      'the gateway needs it without',
    ],
    [
      'the key of another certificate',
      { key: selfSigned(['other.example.org']).key },
      'the private key of another certificate than listen.tls.certificate',
    ],
  ])('are refused with %s', async (_, broken, says) => {
    const { certificate, key } = { ...selfSigned(['acces.example.org']), ...broken }
    const tls = 'listen: { tls: { certificate: cert.pem, key: key.pem } }'
    const loaded = await parse(tls, { 'cert.pem': certificate, 'key.pem': key })
    const told = loaded.ok ? [] : loaded.problems.map(one => `${one.line} ${one.key} ${one.message}`)
    expect(told.filter(line => line.includes('listen.tls'))).toEqual([expect.stringContaining(says)])
  })

  it('name faults of a table by its own lines, its path being relative to the configuration', async () => {
    const claims = 'claims: { domain: { from: [ou], table: tables/i.csv }, unit: { from: [ou], table: /t/u.csv } }\n'
    const files = { 'tables/i.csv': '51;INP\n52\n', '/t/u.csv': 'x\n' }
    const loaded = await parse(`${claims}portal: 1\n`, files)
    const told = loaded.ok ? [] : loaded.problems.map(({ file, line, key }) => `${file}:${line} ${key}`)
    expect(told.slice(-2)).toEqual(['conf/tables/i.csv:2 claims.domain.table', '/t/u.csv:1 claims.unit.table'])
    expect(told[0]).toBe('conf/passerelle.yaml:1 session')
    expect(
      (await settingsOf(claims, { ...files, 'tables/i.csv': '51;INP\n', '/t/u.csv': 'a;b' })).claims.domain,
    ).toEqual({
      from: ['ou'],
      split: null,
      case: 'keep',
      values: null,
      table: '51;INP\n',
      unlisted: 'drop',
      labels: {},
      take: 'all',
      default: null,
    })
  })

  it('show no password that stands in a URL', async () => {
    const loaded = await parse('portal: "https://admin:hunter2@acces.example.org"\n')
    const told = loaded.ok ? [] : loaded.problems.map(({ key, message }) => `${key} ${message}`)
    expect(told).toContain('portal is "https://admin:****@acces.example.org", must not have a user or a password')
    expect(told.join()).not.toContain('hunter2')
  })

  it('take secrets from files without the line break at their end, and print them as ****', async () => {
    const files = { '/run/secrets/session': 'kJ4mN8pQ2rS6tV9wX3yZ7aB1cD5eF0gH\r\n' }
    const { session } = await settingsOf(`log: { level: "\${file:level}" }`, { ...files, level: 'warn\n' })
    expect(inspect(session.secrets, { depth: null })).toBe('[ **** ]')
    expect(session.secrets[0]?.reveal()).toBe(env.PASSERELLE_SECRET)

    const loaded = await parse(
      `
portal: https://acces.example.org
session: { secrets: ["\${file:/run/secrets/session}"] }
idps: [{ id: a, label: A, oidc: { issuer: https://sso.example.edu, clientId: p, clientSecret: "x\${env:PASSERELLE_SECRET}$\${y" } }]
`,
      files,
    )
    if (!loaded.ok) throw new Error(loaded.problems[0]?.message)
    expect(loaded.settings.session.secrets[0]?.reveal()).toBe('kJ4mN8pQ2rS6tV9wX3yZ7aB1cD5eF0gH')
    const [idp] = loaded.settings.idps
    expect(idp !== undefined && 'oidc' in idp && idp.oidc.clientSecret?.reveal()).toBe(`x${env.PASSERELLE_SECRET}\${y`)
    expect(loaded.warnings).toEqual([])
  })

  it('know where a policy stands, for those who explain it', async () => {
    const loaded = await parse(`portal: https://acces.example.org
idps: [{ id: campus, label: Campus, oidc: { issuer: https://sso.example.edu, clientId: passerelle } }]
session: { secrets: ["\${env:PASSERELLE_SECRET}"] }${site}`)
    if (!loaded.ok) throw new Error('not valid')
    expect(loaded.position(['resources', 0, 'policy'])).toBe('conf/passerelle.yaml:9')
    expect(loaded.position(['resources', 0, 'paths', 1, 'policy'])).toBe('conf/passerelle.yaml:12')
    expect(loaded.position(['policies', 'staff'])).toBe('conf/passerelle.yaml:14')
    expect(loaded.position(['policies', 'staff', 7, 'nothing'])).toBe('conf/passerelle.yaml:14')
  })

  it('may be written with Windows line ends, a document marker and anchors', async () => {
    const text = `---\r\nportal: https://acces.example.org\r\nsession: { secrets: &s ["\${env:PASSERELLE_SECRET}"] }\r\nidps: [{ id: a, label: A, oidc: { issuer: https://sso.example.edu, clientId: p } }]\r\n`
    expect(await parse(text)).toMatchObject({ ok: true, warnings: [] })
  })
})

describe('a value that came from the environment', () => {
  it('is never shown, whatever is wrong with it', async () => {
    const loaded = await parse(`portal: "\${env:PASSERELLE_SECRET}"\nlog: { level: "\${env:PASSERELLE_SECRET}" }`)
    expect(loaded.ok).toBe(false)
    expect(JSON.stringify(loaded)).not.toContain(env.PASSERELLE_SECRET)
    expect(JSON.stringify(loaded)).toContain(`is \\"\${env:PASSERELLE_SECRET}\\", must be`)
  })
})

describe('a file', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'passerelle-config-'))
    await mkdir(join(folder, 'folder'))
    await writeFile(join(folder, 'empty.yaml'), '')
    await writeFile(join(folder, 'latin1.yaml'), Buffer.from('portal: x\nsite: { name: Universit\xe9 }\n', 'latin1'))
    await writeFile(join(folder, 'utf16.yaml'), Buffer.from('\ufeffportal: x\n', 'utf16le'))
    await writeFile(join(folder, 'marked.yaml'), '\ufeffportal: 1\n')
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it.each([
    ['missing.yaml', 'does not exist'],
    ['empty.yaml/x', 'does not exist'],
    ['folder', 'is a directory'],
    ['empty.yaml', 'is empty; the shipped config/passerelle.yaml is a place to begin'],
    ['latin1.yaml', 'is not UTF-8 text (line 2); save it as UTF-8'],
    ['utf16.yaml', 'is UTF-16 text; save it as UTF-8'],
  ])('that is no configuration says so: %s %s', async (name, message) => {
    const file = join(folder, name)
    const expected = { file, line: 0, column: 0, key: '', message }
    expect(await loadSettings(file, {})).toEqual({ ok: false, problems: [expected], warnings: [] })
  })

  it('may begin with a byte order mark', async () => {
    const loaded = await loadSettings(join(folder, 'marked.yaml'), {})
    expect(loaded.ok ? [] : loaded.problems.map(problem => problem.key)).toContain('portal')
  })

  it.each([
    ['deeply nested', '['.repeat(5000)],
    [
      'a row of aliases that multiply',
      `a0: &a0 [x]\n${Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}*a${i}]`).join('\n')}`,
    ],
  ])('that is %s is refused, and not followed to its end', async (_what, text) => {
    expect(await parse(text)).toMatchObject({ ok: false })
  })
})
