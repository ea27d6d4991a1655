/**
 * This process stands still, as for a collection of garbage, a large configuration or a busy machine, while others go on: a thread that
 * does to Redis, or answers as a server, what another machine would.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

const nobody = new Int32Array(new SharedArrayBuffer(4))

/** @param until also waits, half a minute at most, until what was asked of these threads is done */
export function standStill(ms: number, ...until: readonly Elsewhere[]): void {
  Atomics.wait(nobody, 0, 0, ms)
  for (const { done } of until)
    if (Atomics.wait(done, 0, 0, 30_000) === 'timed-out') throw new Error('nothing was done elsewhere')
}

/** So long, and until these have answered what was asked of them before. */
export function standStillUntilAnswered(ms: number, servers: readonly RedisElsewhere[]): void {
  // Later than all that was asked here, so that what answers this has answered that.
  for (const server of servers) server.send(ms / 2, ['PING'])
  standStill(ms, ...servers)
}

export interface Elsewhere {
  /** 0: what was asked is not done yet. */
  readonly done: Int32Array
  readonly port: number
  readonly stop: () => Promise<unknown>
}

export interface RedisElsewhere extends Elsewhere {
  /** Another process that writes to Redis, while this one stands still perhaps. */
  readonly send: (afterMs: number, ...commands: readonly (readonly string[])[]) => void
}

/** @param port of a Redis on the loopback */
export async function redisElsewhere(port: number): Promise<RedisElsewhere> {
  const { thread, ...elsewhere } = await start(
    `const socket = require('node:net').connect(port, '127.0.0.1', () => parentPort.postMessage(port))
    let left = 0
    socket.on('data', data => {
      // A line each: an integer, or OK; a bulk string is two.
      left -= String(data).split('\\r\\n').filter(line => line !== '' && !line.startsWith('$')).length
      if (left <= 0) isDone()
    })
    parentPort.on('message', ({ afterMs, commands }) => setTimeout(() => {
      left = commands.length
      for (const words of commands)
        socket.write('*' + words.length + '\\r\\n' + words.map(word => '$' + Buffer.byteLength(word) + '\\r\\n' + word + '\\r\\n').join(''))
    }, afterMs))`,
    port,
  )
  return {
    ...elsewhere,
    send(afterMs, ...commands) {
      Atomics.store(elsewhere.done, 0, 0)
      thread.postMessage({ afterMs, commands })
    },
  }
}

export interface ServerElsewhere extends Elsewhere {
  /** Resolves when so many requests in all have come; none is answered before. */
  readonly asked: (many: number) => Promise<void>
  /** Answers whoever has asked, and is done when all of that is handed to the system. */
  readonly answer: () => void
}

/** Speaks HTTP on a port of the loopback. */
export async function serverElsewhere(): Promise<ServerElsewhere> {
  const { thread, ...elsewhere } = await start(
    `const waiting = []
    const server = require('node:http').createServer((request, response) => {
      waiting.push(response)
      parentPort.postMessage('asked')
    })
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))
    parentPort.on('message', () => {
      let left = waiting.length
      for (const response of waiting.splice(0)) response.end('answered', () => --left === 0 && isDone())
    })`,
    0,
  )
  let asked = 0
  let heard = Promise.withResolvers<void>()
  thread.on('message', () => {
    asked++
    heard.resolve()
    heard = Promise.withResolvers()
  })
  return {
    ...elsewhere,
    async asked(many) {
      while (asked < many) await heard.promise
    },
    answer() {
      Atomics.store(elsewhere.done, 0, 0)
      thread.postMessage('answer')
    },
  }
}

/** @param code of the thread; says its port when it is ready */
async function start(code: string, port: number): Promise<Elsewhere & { readonly thread: Worker }> {
  const done = new Int32Array(new SharedArrayBuffer(4))
  const thread = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads')
    const { done, port } = workerData
    function isDone() {
      Atomics.store(done, 0, 1)
      Atomics.notify(done, 0)
    }
    ${code}`,
    { eval: true, workerData: { done, port }, execArgv: [] },
  )
  const [own] = (await once(thread, 'message')) as [number]
  return { thread, done, port: own, stop: () => thread.terminate() }
}
