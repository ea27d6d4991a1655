/** Access codes in a test's configuration, and the form in which people type them. */
import { Browser } from './browser-client.ts'
import type { Reply } from './browser-reply.ts'
import type { CodeFile } from './code-file.ts'

export interface CodeIdpOptions {
  /** YAML. */
  readonly label?: string
  /** YAML. */
  readonly offered?: string
  /** Where uses are counted. */
  readonly state?: string
}

/** An item of `idps`, whose codes stand in this file; startTestGateway is to be told that `file.path` is among its `files`. */
export function aCodeIdp(
  file: Pick<CodeFile, 'path'>,
  id: string,
  { label = '{ fr: Code, en: Code }', offered, state }: CodeIdpOptions = {},
): string {
  const counted = state === undefined ? '' : `, state: "${state}"`
  const keys = [
    `label: ${label}`,
    `codes: { file: "${file.path}"${counted} }`,
    ...(offered === undefined ? [] : [`offered: ${offered}`]),
  ]
  return `\n  - id: ${id}${keys.map(key => `\n    ${key}`).join('')}`
}

/** The form to which this page leads. */
export async function codeForm(browser: Browser, url: string | URL): Promise<Reply> {
  const form = await browser.navigate(url)
  if (form.status !== 200 || !form.text.includes('name="code"')) throw new Error(`${form.story}\n${form.visibleText}`)
  return form
}

/** Typed and sent: the page to which it leads. */
export async function enterCode(
  code: string,
  url: string | URL,
  browser = new Browser({ language: 'en' }),
): Promise<Reply> {
  return browser.submit(await codeForm(browser, url), { code })
}
