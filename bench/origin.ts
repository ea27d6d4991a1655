/**
 * The site behind every peer: nginx with files, and one address that says which identity reached it.
 * It runs beside the load generator, never on the measured core.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startNginx } from './nginx.ts'
import { type Cleanup, freePort } from './pinned.ts'

export interface Origin {
  readonly port: number
  /** The 1 KB that /page.html holds. */
  readonly page: Buffer
}

export const pagePath = '/page.html'
/** Answers with what came as X-Remote-User. */
export const identityPath = '/who'
export const downloadPath = '/download.bin'
export const downloadBytes = 1_000_000_000

export async function startOrigin(core: number, folder: string, cleanup: Cleanup): Promise<Origin> {
  const files = join(folder, 'files')
  mkdirSync(files)
  const page = Buffer.from(randomBytes(768).toString('base64'))
  writeFileSync(join(files, 'page.html'), page)
  writeFileSync(join(files, 'download.bin'), '')
  // A hole in the file system: no disk is read, so the gateway is what is measured.
  truncateSync(join(files, 'download.bin'), downloadBytes)
  const port = await freePort()
  await startNginx(
    { core, folder, port, cleanup },
    `  access_log off;
  open_file_cache max=16 inactive=1h;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${files};
    location = ${identityPath} { return 200 "$http_x_remote_user"; }
  }`,
  )
  return { port, page }
}
