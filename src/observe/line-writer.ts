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

/** Characters gathered before a write, and milliseconds after which they are written in any case. */
const gathered = 15 * 1024
const flushEveryMs = 250
/** Characters that wait for a reader who stopped; what comes then is lost, counted, and told when he reads again. */
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
  let waiting = ''
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
      if (waiting.length + lines.length > longestBacklog) {
        lost++
        return
      }
      waiting += lines
      if (waiting.length >= gathered) flush()
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

  function flush(): void {
    if (current !== null) return
    if (gone || (waiting === '' && lost === 0)) {
      closing?.done()
      return
    }
    current = Buffer.from(withLoss())
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
    else if (closing !== null || waiting.length >= gathered) flush()
  }

  function withLoss(): string {
    const lines = lost === 0 ? waiting : `${waiting}${telling(lost)}`
    waiting = ''
    lost = 0
    return lines
  }

  /** The process ends before close(): what can be written at once still is. */
  function lastWords(): void {
    if (gone) return
    try {
      if (current !== null && !underWay) writeSync(fd, current)
      writeSync(fd, withLoss())
    } catch {
      // Nobody reads; there is nobody left to tell.
    }
  }
}
