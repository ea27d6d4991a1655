/**
 * A port where connecting never ends: a process that listens and is frozen, its queue of two full, so that the system
 * drops every further SYN. This is what a firewall that drops packets looks like.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface DeafListener {
  readonly port: number
  readonly close: () => void
}

const listens = `
const server = require('node:net').createServer()
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => process.stdout.write(String(server.address().port)))`

export async function startDeafListener(): Promise<DeafListener> {
  const child = spawn(process.execPath, ['-e', listens], { stdio: ['ignore', 'pipe', 'ignore'] })
  const stop = () => child.kill('SIGKILL')
  process.once('exit', stop)
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  const port = Number(said)
  child.kill('SIGSTOP')
  const waiting: Socket[] = []
  while (await isTaken(port, waiting)) {}
  return {
    port,
    close() {
      for (const socket of waiting) socket.destroy()
      process.off('exit', stop)
      stop()
    },
  }
}

/** False: this one hangs, and so will all that follow. */
async function isTaken(port: number, waiting: Socket[]): Promise<boolean> {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  waiting.push(socket)
  const patience = AbortSignal.timeout(300)
  return once(socket, 'connect', { signal: patience }).then(
    () => true,
    async () => {
      // Where this process had no turn meanwhile, the next one tells.
      await new Promise(resolve => setImmediate(resolve))
      return !socket.connecting
    },
  )
}
