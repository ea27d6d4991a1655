/** A configuration that is in order, for tests that change one thing about it. */
import { type Loaded, parseSettings } from '../../src/config/load.ts'
import type { Settings } from '../../src/config/schema.ts'

export const env = { PASSERELLE_SECRET: 'mB7vQ2xK9rT4wZ1nC6yL3hJ8dF5gS0pA' }

const needed = `
portal: https://acces.example.org
session: { secrets: ["\${env:PASSERELLE_SECRET}"] }
idps:
  - id: campus
    label: Campus
    oidc: { issuer: https://sso.example.edu, clientId: passerelle }
`

export function parse(text: string, files: Readonly<Record<string, string>> = {}): Promise<Loaded> {
  return parseSettings(text, {
    file: 'conf/passerelle.yaml',
    env,
    async readFile(path) {
      const content = files[path]
      if (content === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' })
      return content
    },
  })
}

/** The settings of a configuration with these lines in front of what every configuration needs. */
export async function settingsOf(more: string, files: Readonly<Record<string, string>> = {}): Promise<Settings> {
  const loaded = await parse(`${more}${needed}`, files)
  if (!loaded.ok) throw new Error(loaded.problems.map(problem => `${problem.key} ${problem.message}`).join('\n'))
  return loaded.settings
}
