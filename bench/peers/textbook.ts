/** (4) The textbook chain of the node world: express, express-session, connect-redis on real Redis, http-proxy. */
import { client, startProvider } from '../openid-provider.ts'
import { pagePath } from '../origin.ts'
import { freePort, startPinned } from '../pinned.ts'
import { redis } from '../programs.ts'
import { signIn } from '../sign-in.ts'
import type { Peer } from './peer.ts'

export const textbook: Peer = {
  name: 'express + express-session + connect-redis + http-proxy',
  work: 'reads the whole session from Redis, forwards with one header, touches the session in Redis; writes no access log',
  needs: [redis],
  protects: true,
  start: async (core, { originPort, redisPort, folder, cleanup }) => {
    const port = await freePort()
    const site = `http://127.0.0.1:${port}`
    const provider = await startProvider(`${site}/signed-in`)
    cleanup.add(provider.stop)
    const program = new URL('./textbook-gateway.ts', import.meta.url).pathname
    const settings = {
      site,
      origin: `http://127.0.0.1:${originPort}`,
      redisPort,
      issuer: provider.issuer,
      clientId: client.clientId,
      clientSecret: client.clientSecret,
    }
    const pid = await startPinned({
      program: process.execPath,
      args: ['--max-semi-space-size=16', program, String(port), JSON.stringify(settings)],
      core,
      port,
      logFile: `${folder}/textbook.log`,
      env: { NODE_ENV: 'production' },
      cleanup,
    })
    return { port, headers: await signIn(new URL(pagePath, site)), pids: [pid] }
  },
}
