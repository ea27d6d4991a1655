/** What `check` says of access codes and of when they are offered. */
import { expect, it } from 'vitest'
import { parseSettings } from '../../src/config/load.ts'

const hash = `scrypt:15:8:1:${'A'.repeat(22)}:${'B'.repeat(43)}`

async function said(
  codes: string | null,
  more: { readonly offered?: string; readonly store?: string; readonly state?: string | null } = {},
) {
  const yaml = `
portal: https://acces.example.org
session: { store: ${more.store ?? '{ kind: memory }'}, secrets: ["\${env:SECRET}"] }
idps:
  - { id: janus, label: Janus, cas: { server: https://janus.example.org/cas } }
  - id: codes
    label: Codes
    codes: { file: access-codes.yaml${more.state === undefined ? '' : ', state: uses'} }
    offered: ${more.offered ?? '{ when: unavailable, of: janus }'}
resources:
  - { id: nature, title: Nature, at: "https://nature.example.org", origin: "http://127.0.0.1:1", policy: signed-in }
`
  const loaded = await parseSettings(yaml, {
    file: '/etc/passerelle/passerelle.yaml',
    env: { SECRET: 'a long text for the sake of this file, never used' },
    async readFile(path) {
      const content = path === 'uses' ? (more.state ?? null) : codes
      if (content === null) throw Object.assign(new Error('none'), { code: 'ENOENT' })
      return content
    },
  })
  const told = (list: typeof loaded.warnings) => list.map(one => `${one.file}:${one.line} ${one.key} ${one.message}`)
  return { problems: loaded.ok ? [] : told(loaded.problems), warnings: told(loaded.warnings), loaded }
}

it('codes that are right are read anew where they are: the gateway is told the path', async () => {
  const { problems, warnings, loaded } = await said(`- { selector: 7K3M, hash: "${hash}", hosts: nature.example.org }`)
  expect([problems, warnings]).toEqual([[], []])
  expect(loaded.ok && loaded.settings.idps[1]).toMatchObject({
    codes: { file: '/etc/passerelle/access-codes.yaml' },
    offered: { kind: 'unavailable', of: 'janus' },
  })
})

it('a broken file is told at its own line, and nothing starts', async () => {
  const { problems } = await said(`- selector: 7K3M\n  hash: "${hash}"\n  untill: 2027-01-01\n`)
  expect(problems).toEqual([
    '/etc/passerelle/access-codes.yaml:3 idps[1].codes.file "untill" is not known here; did you mean "until"?',
  ])
})

it('a file that is missing is told with what makes one', async () => {
  expect((await said(null)).problems[0]).toContain('does not exist; `passerelle codes add --file FILE` makes one')
})

it('a number of uses needs a store that keeps the count', async () => {
  const limited = `- { selector: 7K3M, hash: "${hash}", uses: 3 }`
  expect((await said(limited)).problems[0]).toContain('uses needs session.store of kind redis')
  expect((await said(limited, { store: '{ kind: redis, url: "redis://127.0.0.1:1" }' })).problems).toEqual([])
})

it('or a file that keeps it, which the gateway is told', async () => {
  const limited = `- { selector: 7K3M, hash: "${hash}", uses: 3 }`
  const { problems, loaded } = await said(limited, { state: '' })
  expect(problems).toEqual([])
  expect(loaded.ok && loaded.settings.idps[1]).toMatchObject({ codes: { state: '/etc/passerelle/uses' } })
})

it.each([
  ['is missing', null, 'the file uses does not exist; make an empty one, if no code'],
  [
    'is damaged',
    'passerelle-uses 1\n',
    'the file uses is damaged: its last line does not fit what stands above. Put it back',
  ],
])('such a file that %s stops the start: nothing is given back', async (_, state, sentence) => {
  const { problems } = await said('', { state })
  expect(problems).toEqual([expect.stringMatching(`idps\\[1\\].codes.state ${sentence}`)])
})

it('is not there beside Redis, which counts for all processes', async () => {
  const { problems } = await said('', { state: '', store: '{ kind: redis, url: "redis://127.0.0.1:1" }' })
  expect(problems[0]).toContain('idps[1].codes.state must not be there with session.store of kind redis')
})

it('a host where no site is deserves a second look', async () => {
  const { problems, warnings } = await said(`- { selector: 7K3M, hash: "${hash}", hosts: [natur.example.org] }`)
  expect(problems).toEqual([])
  expect(warnings[0]).toContain('the code 7K3M opens natur.example.org, where no resource is')
})

it.each([
  ['{ when: unavailable, of: janu }', 'idps[1].offered.of "janu" is not the id of an identity provider'],
  ['{ when: unavailable, of: codes }', 'idps[1].offered.of must be another identity provider'],
  ['{ when: night, of: janus }', 'idps[1].offered.when'],
  ['{ when: unavailable }', 'idps[1].offered'],
  ['sometimes', 'must be always, or { when: unavailable, of: ID }'],
])('offered: %s is a problem', async (offered, sentence) => {
  expect((await said('', { offered })).problems.join('\n')).toContain(sentence)
})
