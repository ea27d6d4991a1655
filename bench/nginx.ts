/** nginx with one worker: the origin of every measurement, and two of the peers. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Cleanup, startPinned } from './pinned.ts'

/**
 * @param folder of its own; the worker must be able to enter it
 * @param http   what stands inside `http { … }` besides the settings that all three share
 * @returns      the pid of the master
 */
export async function startNginx(
  { core, folder, port, cleanup }: { core: number; folder: string; port: number; cleanup: Cleanup },
  http: string,
): Promise<number> {
  const configuration = join(folder, 'nginx.conf')
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  writeFileSync(
    configuration,
    `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
  default_type text/html;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  ${scratch.map(name => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
${http}
}
`,
  )
  return startPinned({
    program: 'nginx',
    args: ['-e', 'stderr', '-p', folder, '-c', configuration],
    core,
    port,
    logFile: join(folder, 'nginx.log'),
    cleanup,
  })
}
