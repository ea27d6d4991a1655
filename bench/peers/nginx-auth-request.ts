/**
 * (2) nginx, which asks a small node service about every request (auth_request). The strongest peer: what a good
 * engineer builds in an afternoon when the sign-in itself is done elsewhere.
 */
import { randomBytes } from 'node:crypto'
import { startNginx } from '../nginx.ts'
import { subject } from '../openid-provider.ts'
import { freePort, startPinned } from '../pinned.ts'
import { nginx } from '../programs.ts'
import type { Peer } from './peer.ts'

export const nginxAuthRequest: Peer = {
  name: 'nginx + auth_request to a node service',
  work: 'asks the service over a kept connection; one look-up in its memory by cookie; sets one header. The session is put there beforehand: the service has no sign-in',
  needs: [nginx],
  protects: true,
  start: async (core, { originPort, folder, cleanup }) => {
    const [port, servicePort] = [await freePort(), await freePort()]
    const session = randomBytes(32).toString('base64url')
    const program = new URL('./auth-service.ts', import.meta.url).pathname
    const service = await startPinned({
      program: process.execPath,
      args: ['--max-semi-space-size=16', program, String(servicePort), session, subject],
      core,
      port: servicePort,
      logFile: `${folder}/service.log`,
      cleanup,
    })
    const proxy = await startNginx(
      { core, folder, port, cleanup },
      `  access_log ${folder}/access.log combined buffer=32k;
  upstream origin {
    server 127.0.0.1:${originPort};
    keepalive 128;
    keepalive_requests 1000000000;
  }
  upstream service {
    server 127.0.0.1:${servicePort};
    keepalive 128;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      auth_request /.auth;
      auth_request_set $person $upstream_http_x_remote_user;
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Remote-User $person;
    }
    location = /.auth {
      internal;
      proxy_pass http://service/;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
    }
  }`,
    )
    return { port, headers: { Host: '127.0.0.1', Cookie: `session=${session}` }, pids: [proxy, service] }
  },
}
