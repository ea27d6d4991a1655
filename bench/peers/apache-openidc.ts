/** (3) Apache with mod_auth_openidc, its sessions in shared memory: the established way to put OpenID Connect in front of a site. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { client, startProvider } from '../openid-provider.ts'
import { pagePath } from '../origin.ts'
import { freePort, startPinned } from '../pinned.ts'
import { apache, openidcModule } from '../programs.ts'
import { signIn } from '../sign-in.ts'
import type { Peer } from './peer.ts'

export const apacheOpenidc: Peer = {
  name: 'Apache + mod_auth_openidc',
  work: 'reads, decrypts and validates the session (claims, tokens) from shared memory, sets a header for each claim',
  needs: [apache, openidcModule],
  protects: true,
  start: async (core, { originPort, folder, cleanup }) => {
    const port = await freePort()
    const site = new URL(`http://127.0.0.1:${port}`)
    const callback = new URL('/signed-in', site)
    const provider = await startProvider(callback.href)
    cleanup.add(provider.stop)
    const file = join(folder, 'apache.conf')
    writeFileSync(file, configuration(folder, port, originPort, provider.issuer, callback))
    const pid = await startPinned({
      program: 'apache2',
      args: ['-D', 'FOREGROUND', '-f', file],
      core,
      port,
      logFile: join(folder, 'apache.log'),
      cleanup,
    })
    return { port, headers: await signIn(new URL(pagePath, site)), pids: [pid] }
  },
}

function configuration(folder: string, port: number, originPort: number, issuer: string, callback: URL): string {
  const modules = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'proxy', 'proxy_http', 'auth_openidc']
  // Started by root, Apache insists on another user for its children.
  const user = process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''
  return `ServerRoot ${folder}
ServerName 127.0.0.1
Listen 127.0.0.1:${port}
PidFile ${folder}/apache.pid
DefaultRuntimeDir ${folder}
ErrorLog ${folder}/error.log
${modules.map(name => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
${user}
ThreadLimit 256
ServerLimit 1
StartServers 1
ThreadsPerChild 256
MaxRequestWorkers 256
MaxConnectionsPerChild 0
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 600
BufferedLogs On
LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined
CustomLog ${folder}/access.log combined
OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration
OIDCClientID ${client.clientId}
OIDCClientSecret ${client.clientSecret}
OIDCRedirectURI ${callback.href}
OIDCCryptoPassphrase only-for-the-benchmark
OIDCPKCEMethod S256
OIDCScope "openid email profile"
OIDCSessionType server-cache
OIDCCacheType shm
OIDCSessionInactivityTimeout 3600
OIDCRemoteUserClaim sub
OIDCAuthNHeader X-Remote-User
<Location />
  AuthType openid-connect
  Require valid-user
</Location>
ProxyPass /signed-in !
ProxyPass / http://127.0.0.1:${originPort}/ enablereuse=on
`
}
