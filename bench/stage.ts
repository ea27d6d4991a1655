/** What stands beside the measured core: the origin and Redis, and the folder in which everything of one run lives. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Origin, startOrigin } from './origin.ts'
import type { Stage } from './peers/peer.ts'
import { Cleanup, freePort, startPinned } from './pinned.ts'
import { missing, redis } from './programs.ts'

export interface Stages {
  readonly origin: Origin
  /** A stage for one peer, with a folder of its own. */
  readonly next: () => Stage
  readonly cleanup: Cleanup
}

export async function setStage(core: number): Promise<Stages> {
  const cleanup = new Cleanup()
  const root = mkdtempSync(join(tmpdir(), 'passerelle-bench-'))
  cleanup.add(async () => rmSync(root, { recursive: true, force: true }))
  // Started by root, nginx and Apache work as somebody else, who must be able to enter.
  chmodSync(root, 0o755)
  let folders = 0
  const newFolder = () => {
    const folder = join(root, String(folders++))
    mkdirSync(folder)
    return folder
  }
  try {
    const origin = await startOrigin(core, newFolder(), cleanup)
    const redisPort = missing([redis]).length === 0 ? await startRedis(core, newFolder(), cleanup) : null
    return { origin, cleanup, next: () => ({ originPort: origin.port, redisPort, folder: newFolder(), cleanup }) }
  } catch (problem) {
    await cleanup.run()
    throw problem
  }
}

async function startRedis(core: number, folder: string, cleanup: Cleanup): Promise<number> {
  const port = await freePort()
  const settings = { bind: '127.0.0.1', port, save: '', appendonly: 'no', dir: folder }
  await startPinned({
    program: 'redis-server',
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    core,
    port,
    logFile: join(folder, 'redis.log'),
    cleanup,
  })
  return port
}
