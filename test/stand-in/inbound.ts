/**
 * The gateway's own ends of the connections that tests make: a test wants to know that they are let go of, also where the
 * client's end would never tell.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { Watch } from './recording.ts'

export class Inbound {
  readonly #byPort = new Map<number, Socket>()
  readonly #watch = new Watch()

  /** From now on, every connection that some server of this process accepts. */
  constructor() {
    subscribe('net.server.socket', this.#accepted)
  }

  stop(): void {
    unsubscribe('net.server.socket', this.#accepted)
  }

  /**
   * To be called while the client is connected; the result may be called later.
   *
   * @returns waits until the other end is destroyed; throws after `withinMs` (5,000)
   */
  follow(client: Socket): (withinMs?: number) => Promise<void> {
    const other = this.#byPort.get(client.localPort ?? 0)
    if (other === undefined) throw new Error('no server of this process has accepted that connection')
    return withinMs => this.#watch.until(() => other.destroyed, 'the end of the connection', withinMs)
  }

  readonly #accepted = (message: unknown): void => {
    const { socket } = message as { socket: Socket }
    this.#byPort.set(socket.remotePort ?? 0, socket)
    socket.on('close', () => this.#watch.changed())
  }
}
