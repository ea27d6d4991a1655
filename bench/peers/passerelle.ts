/** (5, 6) Our gateway as it is installed: built by tsc, started by `serve`, a person signed in through the provider. */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { client, startProvider } from '../openid-provider.ts'
import { pagePath } from '../origin.ts'
import { freePort, startPinned } from '../pinned.ts'
import { redis } from '../programs.ts'
import { signIn } from '../sign-in.ts'
import type { Peer } from './peer.ts'

export function passerelle(store: 'memory' | 'redis'): Peer {
  return {
    name: `Passerelle, ${store === 'memory' ? 'memory' : 'Redis'} store`,
    work: 'finds the session by cookie in its own cache, while it follows the log of ended sessions; judges the policy; strips forged headers, sets one, filters cookies; writes an access log line and metrics',
    needs: store === 'redis' ? [redis] : [],
    protects: true,
    start: async (core, { originPort, redisPort, folder, cleanup }) => {
      const port = await freePort()
      const portal = `http://portal.localhost:${port}`
      const site = `http://site.localhost:${port}`
      const provider = await startProvider(`${portal}/callback/campus`)
      cleanup.add(provider.stop)
      const file = join(folder, 'passerelle.yaml')
      const kept = store === 'memory' ? '{ kind: memory }' : `{ kind: redis, url: "redis://127.0.0.1:${redisPort}" }`
      writeFileSync(
        file,
        `portal: ${portal}
listen: { address: "127.0.0.1:${port}" }
operations: { address: "127.0.0.1:${await freePort()}" }
drain: { wait: 0s, timeout: 1s }
session:
  store: ${kept}
  secrets: ["\${env:BENCH_SECRET}"]
idps:
  - id: campus
    label: Campus
    oidc:
      issuer: ${provider.issuer}
      clientId: ${client.clientId}
      clientSecret: "\${env:BENCH_CLIENT_SECRET}"
      scopes: [openid, profile, email]
resources:
  - id: site
    title: Site
    at: ${site}
    origin: http://127.0.0.1:${originPort}
    policy: signed-in
    idps: [campus]
    identity: { headers: { X-Remote-User: "{subject}" } }
`,
      )
      const pid = await startPinned({
        program: process.execPath,
        args: ['--max-semi-space-size=16', builtProgram, 'serve', file],
        core,
        port,
        logFile: join(folder, 'passerelle.log'),
        env: {
          NODE_ENV: 'production',
          BENCH_SECRET: randomBytes(32).toString('base64url'),
          BENCH_CLIENT_SECRET: client.clientSecret,
        },
        cleanup,
      })
      return { port, headers: await signIn(new URL(pagePath, site)), pids: [pid] }
    },
  }
}

const builtProgram = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
