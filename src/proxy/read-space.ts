/**
 * Where a connection to an origin reads: the same memory again and again. New memory for every read is garbage at the pace of
 * the network, of which the collector lets some tens of megabytes wait; a large download would seem to be kept.
 */
import type { ReadInto } from '../model/outbound.ts'

/** Bytes: most answers, and then as much as the system gives at once. */
const first = 16 * 1024
const most = 64 * 1024

export class ReadSpace implements ReadInto {
  #bytes = Buffer.allocUnsafeSlow(first)
  /** What it does not want overwritten when it returns, it pauses the socket for. */
  hear: (bytes: Buffer) => void = () => {}

  readonly buffer = (): Buffer => this.#bytes

  readonly read = (length: number): void => {
    const read = this.#bytes
    // It could have been more. Grown before anybody hears of it: whoever keeps what was read keeps the old one.
    if (length === read.length && length < most) this.leave(most)
    this.hear(read.subarray(0, length))
  }

  /** What was read last is somebody's, from now on: it is read elsewhere. */
  leave(size = this.#bytes.length): void {
    this.#bytes = Buffer.allocUnsafeSlow(size)
  }
}
