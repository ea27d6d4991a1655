/**
 * Where log lines go: gathered, written without waiting, bounded. Whoever reads them may stop, leave, or run out of disk: the
 * gateway goes on, and it stops when it is told to, within a second.
 */
import { writeSync, write as writeTo } from 'node:fs'

export interface LineWriter {
  /** Whole lines. Never throws, never waits. */
  readonly write: (lines: string) => void
  /** Resolves when everything is written, or when nobody took it within a second. */
  readonly close: () => Promise<void>
}

/** Bytes gathered before a write, and milliseconds after which they are written in any case. */
const gathered = 48 * 1024
const flushEveryMs = 250
/** Bytes of a piece. Lines become bytes at once: as strings, while a write is slow, they would grow old in memory. */
const pieceBytes = 64 * 1024
/** Bytes that wait for a reader who stopped; what comes then is lost, counted, and told when he reads again. */
const longestBacklog = 16 * 1024 * 1024
/** Between two attempts at a pipe that is full, ms: soon at first, for a reader who is merely slower than we. */
const firstPauseMs = 1
const longestPauseMs = 100
const lastWordsMs = 1_000

/**
 * @param fd      does not block where it is a pipe: `process.stdout.fd`, which node has seen to
 * @param telling the line that says how many were lost
 */
export function createLineWriter(fd: number, telling: (lost: number) => string): LineWriter {
  let filling = Buffer.allocUnsafe(pieceBytes)
  let length = 0
  /** Pieces that are full, the oldest first, and their bytes. */
  const full: Buffer[] = []
  let backlog = 0
  /** Handed over, and not yet taken whole. */
  let current: Buffer | null = null
  let underWay = false
  let pauseMs = firstPauseMs
  let lost = 0
  let gone = false
  let closing: { readonly done: () => void } | null = null
  const flushing = setInterval(flush, flushEveryMs)
  flushing.unref()
  process.on('exit', lastWords)

  return {
    write(lines) {
      if (gone) return
      // A unit of a string becomes three bytes of UTF-8 at most.
      const most = 3 * lines.length
      if (most > filling.length - length) {
        if (backlog + length >= longestBacklog) {
          lost++
          return
        }
        setAside(most)
      }
      length += filling.write(lines, length)
      if (length >= gathered) flush()
    },

    close() {
      clearInterval(flushing)
      return new Promise(resolve => {
        const done = () => {
          clearTimeout(late)
          process.off('exit', lastWords)
          gone = true
          resolve()
        }
        const late = setTimeout(done, lastWordsMs)
        closing = { done }
        flush()
      })
    },
  }

  function setAside(next: number): void {
    full.push(filling.subarray(0, length))
    backlog += length
    filling = Buffer.allocUnsafe(Math.max(pieceBytes, next))
    length = 0
  }

  function flush(): void {
    if (current !== null) return
    if (full.length === 0 && (length > 0 || lost > 0)) setAside(0)
    const piece = gone ? undefined : full.shift()
    if (piece === undefined) {
      closing?.done()
      return
    }
    backlog -= piece.length
    current = full.length === 0 && length === 0 ? withLoss(piece) : piece
    attempt()
  }

  function attempt(): void {
    if (gone || current === null) return
    underWay = true
    writeTo(fd, current, (error, written) => {
      underWay = false
      if (error === null) {
        pauseMs = firstPauseMs
        return taken(written)
      }
      switch (error.code) {
        case 'EAGAIN':
        case 'EBUSY':
          setTimeout(attempt, pauseMs).unref()
          pauseMs = Math.min(2 * pauseMs, longestPauseMs)
          return
        case 'EPIPE':
          gone = true
      }
      // A disk that is full, or worse: these lines are lost, the next ones may not be.
      taken(current?.length ?? 0)
    })
  }

  function taken(bytes: number): void {
    current = current === null || bytes >= current.length ? null : current.subarray(bytes)
    if (current !== null) attempt()
    else if (closing !== null || full.length > 0 || length >= gathered) flush()
  }

  /** What was lost came after everything that waited. */
  function withLoss(piece: Buffer): Buffer {
    if (lost === 0) return piece
    const told = Buffer.from(telling(lost))
    lost = 0
    return Buffer.concat([piece, told])
  }

  /** The process ends before close(): what can be written at once still is. */
  function lastWords(): void {
    if (gone) return
    try {
      if (current !== null && !underWay) writeSync(fd, current)
      for (const piece of full) writeSync(fd, piece)
      writeSync(fd, withLoss(filling.subarray(0, length)))
    } catch {
      // Nobody reads; there is nobody left to tell.
    }
  }
}
