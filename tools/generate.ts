/**
 * Writes what follows from the sources: the published schema, and two pages of the reference. `npm run generate`;
 * test/check/generated.test.ts fails where they are stale.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type JsonSchema, jsonSchema } from '../src/config/json-schema.ts'
import { type ErrorCode, failures } from '../src/errors.ts'
import { type Language, languages } from '../src/model/text.ts'
import { html } from '../src/pages/escape.ts'
import type { About } from '../src/pages/sentence.ts'
import { sentences } from '../src/pages/sentences.ts'

const root = join(import.meta.dirname, '..')

export interface Generated {
  /** Relative to the root of the project. */
  readonly path: string
  readonly text: string
}

export async function generated(): Promise<readonly Generated[]> {
  const schema = jsonSchema()
  const example = await readFile(join(root, 'config/passerelle.yaml'), 'utf8')
  return [
    { path: 'config/passerelle.schema.json', text: `${JSON.stringify(schema, null, 2)}\n` },
    { path: 'docs/reference/configuration.md', text: configurationPage(schema, example) },
    { path: 'docs/reference/errors.md', text: errorsPage() },
  ]
}

function configurationPage(schema: JsonSchema, example: string): string {
  const sections = Object.entries(schema.properties ?? {}).map(([key, section]) =>
    sectionOf(key, section as JsonSchema, schema),
  )
  return `<!-- Written by tools/generate.ts from src/*/settings.ts: change the settings, then run \`npm run generate\`. -->

# Configuration

One YAML file. \`passerelle check FILE\` says everything that is wrong with it, with line and column; a gateway does not start
before all of it is right. Unknown keys are errors. Editors that speak YAML complete and check it by
[\`config/passerelle.schema.json\`](../../config/passerelle.schema.json).

| written as | means |
|---|---|
| \`30s\`, \`10m\`, \`8h\`, \`30d\`, \`250ms\` | a duration: a whole number with its unit |
| \`"\${env:NAME}"\` | the value of an environment variable, which must be set and not empty; also as a part of a text |
| \`"\${file:/run/secrets/name}"\` | the content of a file, without the line break at its end; relative to the configuration file |
| \`Courses\` or \`{ fr: Cours, en: Courses }\` | a text for people; a language that is left out borrows the other |
| \`yes\`, \`no\`, \`true\`, \`false\` | yes or no |

Put in quotes what begins with \`*\`, \`{\`, \`[\`, \`&\`, \`!\`, \`%\` or \`@\`, what stands in \`[ ]\` or \`{ }\` and contains \`\${…}\`, and every code
that looks like a number: YAML reads \`012\` as 12 and \`1e3\` as 1000.

\`\`\`yaml
${example.trimEnd()}
\`\`\`

${sections.join('\n')}`
}

function sectionOf(key: string, section: JsonSchema, whole: JsonSchema): string {
  const rows = rowsBelow(key, section)
  const needed = whole.required?.includes(key) === true ? 'Required.' : ''
  const own = isPlain(section) ? `${kindOf(section)}${defaultOf(section) === '' ? '' : `, ${defaultOf(section)}`}.` : ''
  const facts = [section.description ?? '', own, needed].filter(text => text !== '').join(' ')
  return `## \`${key}\`\n\n${facts}\n${rows.length === 0 ? '' : table(rows)}`
}

interface Row {
  readonly key: string
  readonly kind: string
  readonly needed: string
  readonly text: string
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ key, kind, needed, text }) => `| \`${key}\` | ${kind} | ${needed} | ${text} |`)
  return `\n| key | value | if absent | |\n|---|---|---|---|\n${lines.join('\n')}\n`
}

/** What stands below a setting, each key with the way that leads to it, as `check` writes it. */
function rowsBelow(path: string, schema: JsonSchema): readonly Row[] {
  // A policy and a text for people are explained once, by their description.
  if (schema.title !== undefined && schema.title !== 'rule') return []
  if (schema.oneOf !== undefined) return optionRows(path, schema.oneOf as readonly JsonSchema[])
  if (schema.type === 'array' && isSchema(schema.items)) return rowsBelow(`${path}[]`, schema.items)
  const named = Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const child = value as JsonSchema
    const needed = schema.required?.includes(key) === true ? '**required**' : defaultOf(child)
    return [rowOf(`${path}.${key}`, child, needed), ...rowsBelow(`${path}.${key}`, child)]
  })
  if (!isSchema(schema.additionalProperties)) return named
  const other = `${path}.<name>`
  const { additionalProperties: others } = schema
  return [
    ...named,
    ...(others.description === undefined ? [] : [rowOf(other, others, '')]),
    ...rowsBelow(other, others),
  ]
}

function rowOf(key: string, schema: JsonSchema, needed: string): Row {
  return { key, kind: kindOf(schema), needed, text: (schema.description ?? '').replaceAll('|', '\\|') }
}

/** The options of a choice by `kind`, one after the other. */
function optionRows(path: string, options: readonly JsonSchema[]): readonly Row[] {
  return options.flatMap(option => {
    const kind = (option.properties?.kind as JsonSchema | undefined)?.const
    return rowsBelow(path, option).map(row =>
      row.key === `${path}.kind` ? row : { ...row, text: `With \`kind: ${kind}\`. ${row.text}` },
    )
  })
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isPlain(schema: JsonSchema): boolean {
  return schema.type === 'string' || schema.enum !== undefined || schema.title !== undefined
}

function kindOf(schema: JsonSchema): string {
  if (schema.title !== undefined) return schema.title
  if (schema.const !== undefined) return `\`${schema.const}\``
  if (schema.enum !== undefined) return schema.enum.map(value => `\`${value}\``).join(' ')
  if (schema.type === 'array') return isSchema(schema.items) ? `list of ${kindOf(schema.items)}` : 'list'
  if (schema.type === 'object' || schema.oneOf !== undefined) return 'mapping'
  const options = (schema.anyOf ?? []) as readonly JsonSchema[]
  if (options.some(option => option.type === 'array')) return 'text, or list of text'
  return 'text'
}

function defaultOf({ default: value }: JsonSchema): string {
  if (value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)) return ''
  if (Array.isArray(value)) return `\`[${value.join(', ')}]\``
  if (isSchema(value))
    return `\`{ ${Object.entries(value)
      .map(([key, item]) => `${key}: ${item}`)
      .join(', ')} }\``
  return `\`${value === true ? 'yes' : value === false ? 'no' : value}\``
}

/** As it is said where nothing more is known: no name of a site or an idp, nobody signed in. */
const nobody: About = {
  subject: null,
  host: 'name.example.org',
  portal: 'acces.example.org',
  going: false,
  signedIn: false,
  now: html`…`,
  wait: null,
}

function errorsPage(): string {
  const codes = Object.keys(failures) as ErrorCode[]
  const rows = codes.map(code => {
    const { status, level } = failures[code]
    return `| [\`${code}\`](#${anchorOf(code)}) | ${status} | ${level} |`
  })
  const entries = codes.map(code => {
    const said = languages.map(language => `- ${names[language]}: ${quoted(code, language)}`)
    return `### \`${code}\`\n\nStatus ${failures[code].status}, level \`${failures[code].level}\`.\n\n${said.join('\n')}\n`
  })
  return `<!-- Written by tools/generate.ts from src/errors.ts and src/pages: change those, then run \`npm run generate\`. -->

# Errors

Every way the gateway can fail. The log has the code, a detail and often a hint; the person reads a sentence and a reference
of six characters, which stands in the log line too. Level \`error\` wants an operator; \`warn\` is about somebody's request.

| code | status | level |
|---|---|---|
${rows.join('\n')}

## What people read

${entries.join('\n')}`
}

const names: Readonly<Record<Language, string>> = { fr: 'French', en: 'English' }

function quoted(code: ErrorCode, language: Language): string {
  const { title, lead } = sentences[code][language](nobody)
  return `**${plain(String(title))}** — ${plain(String(lead))}`
}

function anchorOf(code: string): string {
  return code.replaceAll('.', '')
}

function plain(markup: string): string {
  return markup
    .replace(/<[^>]+>/g, '')
    .replaceAll('&nbsp;', ' ')
    .replace(/&#(\d+);/g, (_, number: string) => String.fromCodePoint(Number(number)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ')
    .trim()
}

if (import.meta.main) {
  for (const { path, text } of await generated()) await writeFile(join(root, path), text)
}
