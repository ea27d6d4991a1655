/** Where WebSocket frames begin and end in a stream of bytes: lengths only, nothing else is read (RFC 6455 §5.2). */

export class FrameCounter {
  /** Payload bytes of the current frame that are still to come. */
  #payload = 0
  /** The bytes of a frame's head so far; a head is 2 to 14 bytes. */
  #head: number[] = []

  /** True where one frame is over and the next has not begun. */
  get between(): boolean {
    return this.#payload === 0 && this.#head.length === 0
  }

  count(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#payload > 0) {
        const taken = Math.min(this.#payload, chunk.length - at)
        this.#payload -= taken
        at += taken
        continue
      }
      this.#head.push(chunk[at++] as number)
      const length = headLength(this.#head)
      if (length === null || this.#head.length < length) continue
      this.#payload = payloadLength(this.#head)
      this.#head = []
    }
  }
}

/** Null: not known yet. */
function headLength(head: readonly number[]): number | null {
  const second = head[1]
  if (second === undefined) return null
  const mask = (second & 0x80) === 0 ? 0 : 4
  const short = second & 0x7f
  return 2 + mask + (short === 126 ? 2 : short === 127 ? 8 : 0)
}

function payloadLength(head: readonly number[]): number {
  const short = (head[1] as number) & 0x7f
  if (short < 126) return short
  const bytes = short === 126 ? 2 : 8
  return head.slice(2, 2 + bytes).reduce((length, byte) => length * 256 + byte, 0)
}
