/** Real timers, real sockets and real standstills: what is promised here hangs on the order in which Node's loop looks at them. */
import { get } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Deadlines } from '../../src/model/deadlines.ts'
import { type ServerElsewhere, serverElsewhere, standStill } from '../stand-in/standstill.ts'

describe('a deadline', () => {
  it('is told to whoever is late, in the order in which they began, and to nobody who has ended', async () => {
    const deadlines = new Deadlines(50)
    const late: string[] = []
    const last = Promise.withResolvers<void>()
    deadlines.begin(() => late.push('first'))
    const met = deadlines.begin(() => late.push('met'))
    deadlines.begin(() => late.push('second'))
    deadlines.begin(() => last.resolve())
    met.end()
    met.end()
    await last.promise
    expect(late).toEqual(['first', 'second'])
  })

  it('is each one’s own: nobody has less than the time, whoever began before', async () => {
    const deadlines = new Deadlines(100)
    const spent = await Promise.all(
      [0, 10, 37, 60, 110, 250].map(async afterMs => {
        await new Promise(resolve => setTimeout(resolve, afterMs))
        const begun = performance.now()
        await new Promise<void>(resolve => deadlines.begin(resolve))
        return performance.now() - begun
      }),
    )
    expect(Math.min(...spent)).toBeGreaterThanOrEqual(100)
  })

  it('fails what did not come in time, and what comes after all is nobody’s, a failure too', async () => {
    const deadlines = new Deadlines(20)
    const answer = Promise.withResolvers<string>()
    await expect(deadlines.within(answer.promise)).rejects.toThrow('no answer within 20 ms')
    answer.reject(new Error('nobody hears it'))
    await nextTurn()
    expect(await deadlines.within(Promise.resolve('in time'))).toBe('in time')
    await expect(deadlines.within(Promise.reject(new Error('its own')))).rejects.toThrow('its own')
  })

  it('is not over before the sockets were read once more, which is between a timer and an immediate', async () => {
    const held = Promise.withResolvers<() => void>()
    const immediate = vi.spyOn(globalThis, 'setImmediate').mockImplementation(callback => {
      held.resolve(callback as () => void)
      return {} as NodeJS.Immediate
    })
    const read = Promise.withResolvers<string>()
    const answer = new Deadlines(50).within(read.promise)
    const judge = await held.promise
    immediate.mockRestore()
    read.resolve('read')
    await read.promise
    judge()
    expect(await answer).toBe('read')
  })

  it('is a signal for whoever takes one', async () => {
    const { signal, end } = new Deadlines(20).signal()
    await new Promise(resolve => signal.addEventListener('abort', resolve))
    expect(signal.reason).toMatchObject({ name: 'TimeoutError' })
    end()
  })
})

describe('a standstill of this process', () => {
  let server: ServerElsewhere
  beforeAll(async () => {
    server = await serverElsewhere()
  })
  afterAll(() => server.stop())

  it('condemns no answer that came meanwhile', async () => {
    const deadlines = new Deadlines(200)
    const status = new Promise(resolve =>
      get({ port: server.port, agent: false }, ({ statusCode }) => resolve(statusCode)),
    )
    await server.asked(1)
    const answer = deadlines.within(status)
    server.answer()
    standStill(600, server)
    expect(await answer).toBe(200)
  })

  it('however long uses up a fifth of the time at most, so that one answer may lead to another question', async () => {
    const deadlines = new Deadlines(1_000)
    const begun = performance.now()
    const late = new Promise<void>(resolve => deadlines.begin(resolve))
    standStill(1_500)
    await late
    expect(performance.now() - begun).toBeGreaterThanOrEqual(1_500 + 800)
  })

  it('after another does not let anybody wait for ever', async () => {
    const deadlines = new Deadlines(100)
    let late = false
    deadlines.begin(() => {
      late = true
    })
    let standstills = 0
    for (; !late; standstills++) {
      standStill(60)
      await nextTurn()
    }
    expect(standstills).toBeGreaterThanOrEqual(5)
    expect(standstills).toBeLessThanOrEqual(9)
  })
})
