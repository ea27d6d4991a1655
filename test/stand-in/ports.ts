/**
 * Free ports of the loopback, for what must be named before it listens, or listens there again later. None is one of those that
 * the system gives away by itself, to a listener that asks for any or to the client's end of a connection (from 32,768 up on
 * Linux, from 49,152 elsewhere), so nobody can get one between the look and the use; and no two test processes share one.
 */
import { createServer, type Server } from 'node:net'

const [from, to, processes] = [12_000, 32_000, 8]
const share = (to - from) / processes
const own = from + (Number(process.env.VITEST_POOL_ID ?? 0) % processes) * share
/** Anywhere: another run of the tests may be under way on this machine. */
let next = Math.floor(Math.random() * share)

export interface HeldPorts {
  readonly ports: readonly number[]
  readonly release: () => Promise<void>
}

/** Nobody else gets them before they are released. */
export async function holdPorts(count: number): Promise<HeldPorts> {
  const held: { readonly port: number; readonly server: Server }[] = []
  while (held.length < count) {
    const port = own + (next++ % share)
    const server = await listening(port)
    if (server !== null) held.push({ port, server })
  }
  return {
    ports: held.map(({ port }) => port),
    async release() {
      for (const { server } of held) await new Promise(resolve => server.close(resolve))
    },
  }
}

/** Where nobody listens: this process gives none of them away a second time, before it has been through all of its own. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const { ports, release } = await holdPorts(count)
  await release()
  return ports
}

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1)
  return port
}

/** Null: the port is taken. */
function listening(port: number): Promise<Server | null> {
  return new Promise(resolve => {
    const server = createServer().unref()
    server.once('error', () => resolve(null))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
