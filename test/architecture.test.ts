/**
 * Keeps the shape that docs/architecture.md describes. The rules live in test/architecture/; each one is first shown a
 * small tree that breaks it, because a rule that cannot fail proves nothing about the real tree.
 */
import { readFileSync } from 'node:fs'
import { join, matchesGlob } from 'node:path'
import { describe, expect, it } from 'vitest'
import vitestConfig from '../vitest.config.ts'
import longVitestConfig from '../vitest.long.config.ts'
import { everyTestRuns, type Rule, rulesOfSource } from './architecture/rules.ts'
import { readSources, type Tree, treeOf } from './architecture/source.ts'
import { corners, longestFile, ranks } from './architecture/table.ts'

const root = join(import.meta.dirname, '..')
const source = readSources(treeOf(join(root, 'src')))

describe('the source tree', () => {
  it('is there to be read', () => {
    expect(source.map(file => file.path)).toContain('model/decision.ts')
    expect(source.flatMap(file => file.imports).length).toBeGreaterThan(10)
  })

  for (const [fact, rule] of Object.entries(rulesOfSource)) {
    it(fact, () => expect(rule(source)).toEqual([]))
  }
})

describe('the tables of the architecture', () => {
  it('rank a folder once', () => {
    const members = ranks.flatMap(row => row.members)
    expect(members).toEqual([...new Set(members)])
  })

  it('give every package that ships a corner, and no other', () => {
    const manifest: { dependencies: Record<string, string> } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    )
    expect(Object.keys(corners).sort()).toEqual(Object.keys(manifest.dependencies).sort())
  })
})

describe('the tests', () => {
  it('all belong to a project that runs them', () => {
    const included = [vitestConfig, longVitestConfig].flatMap(patternsOf)
    const tests = Object.keys(treeOf(import.meta.dirname)).filter(path => path.endsWith('.test.ts'))
    const forgotten = tests.filter(path => !included.some(pattern => matchesGlob(`test/${path}`, pattern)))
    expect(tests).toContain('architecture.test.ts')
    expect(forgotten).toEqual([])
  })

  it('are all switched on', () => {
    expect(everyTestRuns(readSources(treeOf(import.meta.dirname)))).toEqual([])
  })
})

/** Rule, what the tree does wrong, the tree, and the one sentence that must come. */
const broken: readonly (readonly [fact: string, wrong: string, tree: Tree, said: string])[] = [
  [
    'imports lead to files of src/ that exist',
    'a file that is gone',
    { 'model/a.ts': "import { b } from './b.ts'" },
    'model/a.ts:1 imports ./b.ts, which does not exist',
  ],
  [
    'imports lead to files of src/ that exist',
    'a file of the tests',
    { 'model/a.ts': "export * from '../../test/stand-in/origin.ts'" },
    'model/a.ts:1 imports ../../test/stand-in/origin.ts, outside src/',
  ],
  [
    'imports lead to files of src/ that exist',
    'a computed import',
    { 'model/a.ts': 'export const load = (name: string) => import(name)' },
    'model/a.ts:1 imports a name that is computed at run time',
  ],
  [
    'a folder imports only folders of a lower rank',
    'a sibling',
    { 'proxy/forward.ts': "\nimport { judge } from '../policy/judge.ts'", 'policy/judge.ts': 'export const judge = 1' },
    'proxy/forward.ts:2 imports policy/judge.ts, its equal',
  ],
  [
    'a folder imports only folders of a lower rank',
    'a higher rank, for its types only',
    { 'session/a.ts': "import type { B } from '../server/b.ts'", 'server/b.ts': 'export type B = 1' },
    'session/a.ts:1 imports server/b.ts, of a higher rank',
  ],
  [
    'a folder imports only folders of a lower rank',
    'a type import in the middle of a line',
    { 'session/a.ts': "export type A = import('../idp/b.ts').B", 'idp/b.ts': 'export type B = 1' },
    'session/a.ts:1 imports idp/b.ts, its equal',
  ],
  [
    'a folder imports only folders of a lower rank',
    'a folder that nobody ranked',
    { 'shortcut/a.ts': '' },
    'shortcut/a.ts: shortcut has no rank in test/architecture/table.ts',
  ],
  [
    'protocols of sign-in are strangers to each other',
    'one protocol that borrows from another',
    { 'idp/cas/a.ts': "import { b } from '../oidc/b.ts'", 'idp/oidc/b.ts': 'export const b = 1' },
    'idp/cas/a.ts:1 imports idp/oidc/b.ts, a neighbour of its protocol',
  ],
  [
    'no files import each other in a circle',
    'three files in a circle',
    {
      'session/a.ts': "import { b } from './b.ts'\nexport const a = b",
      'session/b.ts': "import { c } from './c.ts'\nexport const b = c",
      'session/c.ts': "import { a } from './a.ts'\nexport const c = a",
    },
    'session/a.ts → session/b.ts → session/c.ts → session/a.ts is a cycle',
  ],
  [
    'permits are granted in one place',
    'a second grantor, under another name',
    { 'access/a.ts': "import { grant as allow } from '../model/decision.ts'" },
    'access/a.ts:1 imports grant; only policy/authorize.ts may',
  ],
  [
    'permits are granted in one place',
    'the whole module, grant included',
    { 'access/a.ts': "import * as decision from '../model/decision.ts'" },
    'access/a.ts:1 imports grant; only policy/authorize.ts may',
  ],
  [
    'permits are granted in one place',
    'the static method',
    { 'access/a.ts': "import { Permit } from '../model/decision.ts'\nPermit['grant'](r, null, null)" },
    'access/a.ts:2 reaches Permit.grant; only policy/authorize.ts may',
  ],
  [
    'third-party packages stay in their corner',
    'a package outside its corner',
    { 'session/a.ts': "import { z } from 'zod/v4'" },
    'session/a.ts:1 imports zod, which belongs in setting/, */settings.ts, */*/settings.ts, config/',
  ],
  [
    'third-party packages stay in their corner',
    'a package that nobody listed',
    { 'session/a.ts': "import { thing } from '@scope/thing/part'" },
    'session/a.ts:1 imports @scope/thing, which no row of the table allows',
  ],
  [
    'folders and files have names that say something',
    'a bag',
    { 'session/utils/a.ts': '' },
    'session/utils/a.ts: "utils" says nothing',
  ],
  [
    'folders and files have names that say something',
    'a barrel',
    { 'session/index.ts': '' },
    'session/index.ts: "index" says nothing',
  ],
  [
    'the environment is read by the configuration only',
    'a capability that reads it',
    { 'session/a.ts': 'export const url = process.env.REDIS_URL' },
    'session/a.ts:1 reads process.env',
  ],
  [
    'the environment is read by the configuration only',
    'a capability that imports it',
    { 'session/a.ts': "import { env } from 'node:process'" },
    'session/a.ts:1 imports the environment from node:process',
  ],
  [
    'capabilities report, they do not write to the terminal',
    'a capability that prints',
    { 'session/a.ts': "console.log('here')" },
    'session/a.ts:1 writes with console.log; capabilities report events',
  ],
  [
    'every export has a name',
    'a default export',
    { 'model/a.ts': 'export default 1' },
    'model/a.ts:1 has a default export',
  ],
  [
    'every export has a name',
    'a default export by another spelling',
    { 'model/a.ts': 'const a = 1\nexport { a as default }' },
    'model/a.ts:2 has a default export',
  ],
  [
    'a file holds one concept',
    'a file that grew',
    { 'model/a.ts': 'export {}\n'.repeat(longestFile) },
    `model/a.ts has ${longestFile} lines; below ${longestFile} it holds one concept`,
  ],
  ['nothing is left over', 'the type any', { 'model/a.ts': 'export let a: any' }, 'model/a.ts:1 uses the type any'],
  [
    'nothing is left over',
    'a cast to any',
    { 'model/a.ts': 'export const a = 1 as any' },
    'model/a.ts:1 uses the type any',
  ],
  ['nothing is left over', 'a note to oneself', { 'model/a.ts': '\n// FIXME' }, 'model/a.ts:2 holds a left-over FIXME'],
  [
    'nothing is left over',
    'a silenced compiler',
    { 'model/a.ts': '// @ts-ignore\nexport {}' },
    'model/a.ts:1 holds a left-over @ts-ignore',
  ],
]

describe('the rules can fail', () => {
  for (const [fact, wrong, tree, said] of broken) {
    it(`"${fact}" objects to ${wrong}`, () => expect(ruleOf(fact)(readSources(tree))).toEqual([said]))
  }

  it('every rule is shown a tree that breaks it', () => {
    expect([...new Set(broken.map(([fact]) => fact))].sort()).toEqual(Object.keys(rulesOfSource).sort())
  })

  it('a test that is switched off is found', () => {
    const tree = { 'a.test.ts': "describe.only('a', () => {\n  it.skip('b', () => {})\n})" }
    expect(everyTestRuns(readSources(tree))).toEqual(['a.test.ts:1 uses describe.only', 'a.test.ts:2 uses it.skip'])
  })

  it('a file that does not parse is named', () => {
    expect(() => readSources({ 'model/a.ts': 'export const =' })).toThrow('model/a.ts does not parse')
  })
})

describe('the rules can pass', () => {
  const sound: Tree = {
    'errors.ts': 'export class GatewayError extends Error {}',
    'model/decision.ts':
      "import type { GatewayError } from '../errors.ts'\nexport const grant = (error: GatewayError) => error",
    'policy/authorize.ts': "import { grant } from '../model/decision.ts'\nexport const authorize = grant",
    'policy/settings.ts': "import { z } from 'zod'\nexport const policySettings = z.string()",
    'idp/oidc/settings.ts': "import { z } from 'zod'\nexport const oidcSettings = z.string()",
    'idp/build.ts': "import { oidcSettings } from './oidc/settings.ts'\nexport const any = oidcSettings",
    'access/access.ts': "import { authorize } from '../policy/authorize.ts'\nexport const access = authorize",
    'main.ts': "import { access } from './access/access.ts'\nconsole.log(access, process.env, 'a word: any')",
  }

  for (const [fact, rule] of Object.entries(rulesOfSource)) {
    it(`"${fact}" has nothing against a sound tree`, () => expect(rule(readSources(sound))).toEqual([]))
  }
})

/** Every `include` of a configuration, those of its projects too. */
function patternsOf(config: unknown): readonly string[] {
  if (typeof config !== 'object' || config === null) return []
  return Object.entries(config).flatMap(([key, value]) => {
    if (key === 'include' && Array.isArray(value)) return value.filter(one => typeof one === 'string')
    return patternsOf(value)
  })
}

function ruleOf(fact: string): Rule {
  const rule = rulesOfSource[fact]
  if (rule === undefined) throw new Error(`no rule is called "${fact}"`)
  return rule
}
