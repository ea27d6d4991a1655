/** An operator at a terminal: `passerelle sessions …` as a process of its own, with a configuration file on disk. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const operatorSecret = 'what-the-operators-of-this-gateway-keep-to-themselves'

/** For startTestGateway. */
export const operations = `secret: "${operatorSecret}"`

export interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface Operator {
  readonly sessions: (...args: readonly string[]) => Promise<Said>
  readonly close: () => Promise<void>
}

const root = join(import.meta.dirname, '../..')

/** @param secret null: none is configured */
export async function startOperator(port: number, secret: string | null = operatorSecret): Promise<Operator> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-operator-'))
  const file = join(folder, 'passerelle.yaml')
  const secretLine = secret === null ? '' : `, secret: "\${env:OPERATIONS}"`
  const yaml = `
portal: http://acces.localhost:8080
operations: { address: "127.0.0.1:${port}"${secretLine} }
session: { secrets: ["\${env:SECRET}"] }
idps: [{ id: op, label: Op, oidc: { issuer: "http://op.localhost:1", clientId: passerelle, clientSecret: "\${env:SECRET}" } }]
`
  await writeFile(file, yaml)
  const env = { SECRET: 'a long text for the sake of this file, never used', OPERATIONS: secret ?? '' }

  return {
    sessions: (action = '', ...args) =>
      new Promise(resolve => {
        const command = [join(root, 'src/main.ts'), 'sessions', action, ...args, '--config', file]
        execFile(process.execPath, command, { env, cwd: root }, (error, out, err) => {
          resolve({ code: error === null ? 0 : Number(error.code), out, err })
        })
      }),
    close: () => rm(folder, { recursive: true }),
  }
}
