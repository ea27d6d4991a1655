/**
 * A real redis-server on a free port of the loopback, that keeps nothing on disk; it can be frozen, and stopped and
 * started again on the same port. Needs `redis-server` in the PATH.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Certificate } from './certificate.ts'
import { freePort } from './ports.ts'

export interface RedisServer {
  readonly port: number
  readonly url: string
  /** A connection of the test's own, to look and to meddle; it waits while the server is frozen or down. */
  readonly admin: Redis
  /** The server gets no more time: connections stay open, nothing is answered. */
  readonly freeze: () => void
  /** Does nothing where it was not frozen. */
  readonly thaw: () => void
  /** All that it held is gone. */
  readonly stop: () => Promise<void>
  /** On the same port, empty. Does nothing where it runs. */
  readonly start: () => Promise<void>
  /** For afterAll: stops it, wherever it is, and the admin connection. */
  readonly close: () => Promise<void>
  /**
   * As if so much time had passed: every key loses it from its life, and goes if none is left. The server's clock stays.
   */
  readonly lapse: (ms: number) => Promise<void>
}

export interface RedisServerOptions {
  readonly password?: string
  /** More arguments of redis-server; its port is told. */
  readonly more?: (port: number) => readonly string[]
  /** It speaks TLS only, with this key and certificate. */
  readonly tls?: Certificate
  /** A name of that certificate; `localhost` unless said. */
  readonly serverName?: string
}

/** A test run that is cut off leaves none behind. */
const started = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of started) child.kill('SIGKILL')
})

export async function startRedis({
  password,
  tls,
  serverName = 'localhost',
  more = () => [],
}: RedisServerOptions = {}): Promise<RedisServer> {
  const secured = password === undefined ? [] : ['--requirepass', password]
  const files = tls === undefined ? null : await writtenDown(tls)
  let running: ChildProcess | null = null
  const port = await startSomewhere()
  const admin = new Redis({
    port,
    host: '127.0.0.1',
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls: { ca: tls.certificate, servername: serverName } }),
  })
  // It is cut off whenever a test stops the server, and finds it again.
  admin.on('error', () => {})

  return {
    port,
    url: `${tls === undefined ? 'redis' : 'rediss'}://127.0.0.1:${port}`,
    admin,
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    stop,
    start: async () => {
      if (running === null) await start(port)
    },

    async close() {
      admin.disconnect()
      await stop()
      if (files !== null) await rm(files, { recursive: true })
    },

    async lapse(ms) {
      for (const key of await admin.keys('*')) {
        const left = await admin.pttl(key)
        // An expiry in the past deletes the key at once.
        if (left >= 0) await admin.pexpire(key, left - ms)
      }
    },
  }

  /** The port may be taken between the moment it was free and the start: then another one. */
  async function startSomewhere(): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      const free = await freePort()
      try {
        await start(free)
        return free
      } catch (error) {
        if (attempt === 5) throw error
      }
    }
  }

  function start(on: number): Promise<void> {
    const fixed = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    const ports =
      files === null
        ? ['--port', `${on}`]
        : ['--port', '0', '--tls-port', `${on}`, '--tls-auth-clients', 'no', '--tls-cert-file', join(files, 'cert.pem')]
    const keys =
      files === null ? [] : ['--tls-key-file', join(files, 'key.pem'), '--tls-ca-cert-file', join(files, 'cert.pem')]
    return spawnRedis([...fixed, ...ports, ...keys, ...secured, ...more(on)], 'Ready to accept connections').then(
      child => {
        running = child
      },
    )
  }

  function stop(): Promise<void> {
    const child = running
    running = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
    return new Promise(resolve => {
      child.once('exit', () => resolve())
      // A frozen process hears nothing else.
      child.kill('SIGKILL')
    })
  }

  function signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    running?.kill(name)
  }
}

/**
 * A redis-server that is killed with the test run.
 *
 * @param ready what it says when it is ready
 */
export async function spawnRedis(args: readonly string[], ready: string): Promise<ChildProcess> {
  const child = spawn('redis-server', [...args], { cwd: tmpdir(), stdio: ['ignore', 'pipe', 'ignore'] })
  started.add(child.once('exit', () => started.delete(child)))
  return new Promise((resolve, reject) => {
    let said = ''
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`redis-server ended:\n${said}`)))
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk
      if (said.includes(ready)) resolve(child)
    })
  })
}

/** @returns the folder of cert.pem and key.pem */
export async function writtenDown({ certificate, key }: Certificate): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-tls-'))
  await writeFile(join(folder, 'cert.pem'), certificate)
  await writeFile(join(folder, 'key.pem'), key)
  return folder
}
