/**
 * What the documents claim and a program can check: links lead somewhere, files that are named exist, configurations that
 * are printed start a gateway, error codes and configuration keys are those of the code.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { loadSettings, parseSettings } from '../../src/config/load.ts'
import { failures } from '../../src/errors.ts'
import { selfSigned } from '../stand-in/certificate.ts'

const root = join(import.meta.dirname, '../..')

const pages = [...readdirSync(root), ...within('docs'), ...within('helm')]
  .filter(name => name.endsWith('.md'))
  .map(name => ({ name, text: readFileSync(join(root, name), 'utf8') }))

/** The closed list of them, as it is written. */
const events = new Set(
  [...readFileSync(join(root, 'src/model/event.ts'), 'utf8').matchAll(/'([a-z-]+\.[a-z-]+)'/g)].map(([, name]) => name),
)

/** The specification also says what is not built, and generated pages are checked where they are generated. */
const aboutThisVersion = pages.filter(({ name }) => name !== 'docs/sessions.md' && !name.startsWith('docs/reference/'))

function within(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(root, join(entry.parentPath, entry.name)))
}

describe.each(pages)('$name', ({ name, text }) => {
  it('links to pages and headings that exist', () => {
    const links = [...text.matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
    const broken = links.filter(([, path = '', heading]) => {
      const file = path === '' ? join(root, name) : join(root, dirname(name), path)
      if (!existsSync(file)) return true
      return heading !== undefined && !anchorsOf(readFileSync(file, 'utf8')).includes(heading)
    })
    expect(broken.map(([link]) => link)).toEqual([])
  })

  it('has nothing left over', () => {
    expect(text.match(/\b(?:TODO|FIXME|TBD)\b/g)).toBeNull()
  })
})

describe.each(aboutThisVersion)('$name, on this version', ({ text }) => {
  const spans = [...prose(text).matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span)

  it('names files that exist', () => {
    const folders = new Set([...readdirSync(root), ...readdirSync(join(root, 'src'))])
    const files = spans.filter(
      span => /^\.?[\w-]+(?:\/[\w.-]+)+\/?$/.test(span) && folders.has(span.split('/')[0] ?? ''),
    )
    const missing = files.filter(
      file => ![file, `src/${file}`, `src/${file}.ts`].some(one => existsSync(join(root, one))),
    )
    expect(missing).toEqual([])
  })

  it('names failures, events and settings that the code knows', () => {
    const heads = new Set([...Object.keys(failures), ...settingPaths].map(one => one.split('.')[0]))
    const dotted = spans.filter(span => /^[a-z]+(?:\.[a-zA-Z-]+)+$/.test(span) && heads.has(span.split('.')[0]))
    const files = /\.(?:ts|md|json|yaml|yml|mjs|css)$/
    const known = (span: string) => span in failures || events.has(span) || settingPaths.has(span)
    expect(dotted.filter(span => !known(span) && !files.test(span))).toEqual([])
  })

  it('writes settings as the code does', () => {
    const lastNames = new Set([...settingPaths].map(path => path.split('.').at(-1)))
    const written = spans.flatMap(span => /^([a-z][A-Za-z.]*):(?: |$)/.exec(span)?.[1] ?? [])
    expect(written.filter(key => !lastNames.has(key) && !settingPaths.has(key))).toEqual([])
  })
})

describe('the tree that docs/architecture.md draws', () => {
  const drawn = /^src\/\n([\s\S]*?)```/m.exec(readFileSync(join(root, 'docs/architecture.md'), 'utf8'))?.[1] ?? ''
  const there = within('src').map(path => path.slice('src/'.length))

  it('has every folder of src, and no other', () => {
    const folders = [...drawn.matchAll(/^[├└]── ([\w-]+)\//gm)].map(([, folder]) => folder)
    expect(folders.sort()).toEqual(
      [...new Set(there.filter(path => path.includes('/')).map(path => path.split('/')[0]))].sort(),
    )
  })

  it('names files that exist', () => {
    const files = [...drawn.matchAll(/── ([\w-]+\.ts)/g)].map(([, file = '']) => file)
    expect(files.length).toBeGreaterThan(5)
    expect(files.filter(file => !there.some(path => path === file || path === `model/${file}`))).toEqual([])
  })
})

describe('a configuration that is printed', () => {
  const printed = pages.flatMap(({ name, text }) =>
    [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => ({ name, yaml })),
  )
  const whole = printed.filter(({ yaml }) => /^portal:/m.test(yaml))
  const parts = printed.filter(({ yaml }) => yaml.startsWith('# part of passerelle.yaml\n'))

  it('is there to be read', () => {
    expect(whole.map(({ name }) => name)).toEqual(expect.arrayContaining(['README.md', 'docs/guide/first-site.md']))
    expect(parts.length).toBeGreaterThan(0)
  })

  it.each(whole.filter(({ name }) => !name.startsWith('docs/reference/')))(
    'starts a gateway, and deserves no second look: $name',
    async ({ yaml }) => {
      expect(await faultsOf(yaml)).toEqual({ problems: [], warnings: [] })
    },
  )

  it.each(parts)('starts a gateway when it takes its place in the whole: $name', async ({ name, yaml }) => {
    const around = whole.find(one => one.name === name)
    expect(await faultsOf(stringify({ ...parse(around?.yaml ?? ''), ...parse(yaml) }))).toEqual({
      problems: [],
      warnings: [],
    })
  })

  it.each(readdirSync(join(root, 'helm/passerelle/ci')))('starts a gateway: helm/passerelle/ci/%s', async name => {
    const { config } = parse(readFileSync(join(root, 'helm/passerelle/ci', name), 'utf8'))
    if (config === undefined) return
    expect((await faultsOf(config)).problems).toEqual([])
  })

  it('is found out when it is wrong', async () => {
    expect((await faultsOf('portal: https://a.example.org\nstore: redis\n')).problems.length).toBeGreaterThan(0)
    expect((await loadSettings(join(root, 'no-such-file.yaml'), {})).ok).toBe(false)
  })
})

/** With a good secret for every name, and the files that it asks for. */
async function faultsOf(yaml: string) {
  const names = [...yaml.matchAll(/\$\{env:(\w+)\}/g)].map(([, name = '']) => name)
  const env = Object.fromEntries(
    names.map(name => [name, name.endsWith('_URL') ? 'redis://10.0.0.2:6379' : randomBytes(48).toString('base64')]),
  )
  const made = selfSigned(['acces.example.org'])
  const pem = `${made.certificate}${made.key}`
  const readFile = async (path: string) => {
    // Tables stand beside the examples.
    if (path.endsWith('.csv')) return readFileSync(join(root, 'config/examples', path), 'utf8')
    // An empty file has no access codes.
    if (path.endsWith('access-codes.yaml')) return ''
    return path.endsWith('.pem') ? pem : randomBytes(48).toString('base64')
  }
  const loaded = await parseSettings(yaml, { file: 'passerelle.yaml', env, readFile })
  const told = (list: readonly { readonly key: string; readonly message: string }[]) =>
    list.map(({ key, message }) => `${key} ${message}`)
  return { problems: loaded.ok ? [] : told(loaded.problems), warnings: told(loaded.warnings) }
}

/** `session.store.kind` for every key of the published schema; lists and maps add nothing to a path. */
const settingPaths = pathsOf(JSON.parse(readFileSync(join(root, 'config/passerelle.schema.json'), 'utf8')))

function pathsOf(schema: unknown, path = ''): ReadonlySet<string> {
  if (Array.isArray(schema)) return new Set(schema.flatMap(one => [...pathsOf(one, path)]))
  if (typeof schema !== 'object' || schema === null) return new Set()
  const found = Object.entries(schema).flatMap(([keyword, below]) => {
    if (keyword !== 'properties') return [...pathsOf(below, path)]
    return Object.entries(below as object).flatMap(([key, value]) => {
      const inner = path === '' ? key : `${path}.${key}`
      // Those of a resource are known by their own names too.
      return [inner, inner.replace(/^resources\./, ''), ...pathsOf(value, inner)]
    })
  })
  return new Set(found)
}

/** Without fenced blocks: they hold examples. */
function prose(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```/gm, '')
}

/** Headings as hosts of repositories turn them into anchors. */
function anchorsOf(markdown: string): readonly string[] {
  return [...prose(markdown).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  )
}
