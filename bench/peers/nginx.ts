/** (1) nginx as a bare proxy: no sign-in, no policy. The ceiling that everything else is measured against. */
import { startNginx } from '../nginx.ts'
import { freePort } from '../pinned.ts'
import { nginx as program } from '../programs.ts'
import type { Peer } from './peer.ts'

export const nginx: Peer = {
  name: 'nginx, bare proxy',
  work: 'forwards; checks nothing, adds nothing',
  needs: [program],
  protects: false,
  start: async (core, { originPort, folder, cleanup }) => {
    const port = await freePort()
    const pid = await startNginx(
      { core, folder, port, cleanup },
      `  access_log ${folder}/access.log combined buffer=32k;
  upstream origin {
    server 127.0.0.1:${originPort};
    keepalive 128;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
    }
  }`,
    )
    return { port, headers: { Host: '127.0.0.1' }, pids: [pid] }
  },
}
