/**
 * CF-01, CF-03: a gateway never starts on a configuration that is wrong, that lets in whom nobody meant, or whose secrets
 * cannot be read. Each problem's wording is in test/case/config; here is what `serve` does with it.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serve } from '../../src/command/serve.ts'
import { freePorts } from '../stand-in/ports.ts'

const fromEnv = `\${env:SECRET}`
const secret = 'mB7vQ2xK9rT4wZ1nC6yL3hJ8dF5gS0pA'

let folder = ''
let port = 0
let operationsPort = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-'))
  const [first = 0, second = 0] = await freePorts(2)
  port = first
  operationsPort = second
})
afterAll(() => rm(folder, { recursive: true }))

const valid = () => `
portal: "http://acces.localhost:${port}"
listen: { address: "127.0.0.1:${port}" }
operations: { address: "127.0.0.1:${operationsPort}" }
session:
  store: { kind: memory }
  secrets: ["${fromEnv}"]
idps:
  - id: campus
    label: Campus
    oidc: { issuer: "https://sso.example.edu", clientId: passerelle, clientSecret: "\${env:CLIENT}" }
policies:
  staff: [{ affiliation: staff }]
resources:
  - id: app
    title: App
    at: "http://app.localhost:${port}"
    origin: "http://127.0.0.1:9"
    policy: staff
`

async function started(yaml: string, env: Record<string, string> = { SECRET: secret, CLIENT: 'client' }) {
  const file = join(folder, 'passerelle.yaml')
  await writeFile(file, yaml)
  const said: string[] = []
  const unasked = { stopAsked: () => false, obey: () => {} }
  const code = await serve([file], { write: text => said.push(text) }, env, unasked)
  return { code, said: said.join('') }
}

/** Whether anybody takes connections there. */
function listens(at: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ port: at, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

describe('serve', () => {
  it.each([
    ['an unknown key', (yaml: string) => `${yaml}\nportall: x\n`, 'portall'],
    [
      'an unknown key of a resource',
      (yaml: string) => yaml.replace('policy: staff', 'polcy: staff'),
      'resources[0].polcy',
    ],
    ['a resource without a policy', (yaml: string) => yaml.replace('    policy: staff\n', ''), 'resources[0].policy'],
    ['a policy without rules', (yaml: string) => yaml.replace('[{ affiliation: staff }]', '[]'), 'policies.staff'],
    ['a rule without conditions', (yaml: string) => yaml.replace('{ affiliation: staff }', '{}'), 'policies.staff[0]'],
    ['a rule without values', (yaml: string) => yaml.replace('affiliation: staff', 'affiliation: []'), 'affiliation'],
    [
      'a policy that is not defined',
      (yaml: string) => yaml.replace('policy: staff', 'policy: stuff'),
      'resources[0].policy',
    ],
    ['a path with a wildcard', (yaml: string) => `${yaml}    paths: [{ match: "/adm/*", policy: staff }]\n`, 'match'],
    ['an idp over plain http', (yaml: string) => yaml.replace('https://sso', 'http://sso'), 'idps[0].oidc.issuer'],
    ['no secret', (yaml: string) => yaml.replace(`["${fromEnv}"]`, '[]'), 'session.secrets'],
    ['a short secret', (yaml: string) => yaml.replace(fromEnv, 'hunter2'), 'session.secrets[0]'],
    [
      'the manual’s secret',
      (yaml: string) => yaml.replace(fromEnv, 'change-me-change-me-change-me-change-me'),
      'session.secrets[0]',
    ],
    [
      'a portal in plain http',
      (yaml: string) => yaml.replace('http://acces.localhost', 'http://acces.example.org'),
      'portal',
    ],
    [
      'two sites at one address',
      (yaml: string) => `${yaml}${yaml.slice(yaml.indexOf('  - id: app')).replace('id: app', 'id: other')}`,
      'resources[1].at',
    ],
    ['no YAML at all', () => '{{{', 'passerelle.yaml'],
    ['nothing', () => '', 'is empty'],
  ])('does not start with %s, and names it (CF-01)', async (_, bend, named) => {
    const { code, said } = await started(bend(valid()))
    expect(code).toBe(1)
    expect(said).toContain(named)
    expect(said).not.toContain(secret)
    expect(said).not.toContain('hunter2')
    expect(await listens(port)).toBe(false)
    expect(await listens(operationsPort)).toBe(false)
  })

  it.each([
    ['a variable that is not set', {}, (yaml: string) => yaml],
    ['a variable that is empty', { SECRET: '' }, (yaml: string) => yaml],
    ['a client secret that is not set', { SECRET: secret }, (yaml: string) => yaml],
    [
      'a file that is not there',
      { SECRET: secret, CLIENT: 'client' },
      (yaml: string) => yaml.replace(fromEnv, `\${file:nowhere/secret}`),
    ],
    [
      'a certificate that is not there',
      { SECRET: secret, CLIENT: 'client' },
      (yaml: string) => yaml.replace('listen: {', 'listen: { tls: { certificate: no.pem, key: no.key },'),
    ],
  ])('does not start with %s, and opens nothing meanwhile (CF-03)', async (_, env, bend) => {
    const { code, said } = await started(bend(valid()), env)
    expect(code).toBe(1)
    expect(said).toMatch(/session\.secrets|clientSecret|listen\.tls/)
    expect(said).not.toContain(secret)
    expect(await listens(port)).toBe(false)
    expect(await listens(operationsPort)).toBe(false)
  })
})
