import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createGatheredWrites } from '../../src/outbound/gathered-writes.ts'

let server: Server
let ours: Socket
let theirs: Socket
beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  ours = connect((server.address() as AddressInfo).port, '127.0.0.1')
  ours.on('error', () => {})
  ;[theirs] = (await once(server, 'connection')) as [Socket]
  await new Promise<void>(resolve => (ours.connecting ? ours.once('connect', () => resolve()) : resolve()))
})
afterEach(async () => {
  ours.destroy()
  theirs.destroy()
  server.close()
})

it('nothing is written while the turn lasts; then everything is, in its order, and whoever asked is told', async () => {
  const writeSoon = createGatheredWrites()
  const told: string[] = []
  writeSoon(ours, 'one \xe9 ', () => told.push('one'))
  writeSoon(ours, 'two', () => told.push('two'))
  await Promise.resolve()
  expect([ours.bytesWritten, told]).toEqual([0, []])
  const [received] = (await once(theirs, 'data')) as [Buffer]
  expect(told).toEqual(['one', 'two'])
  expect(received.toString('latin1').startsWith('one \xe9 ')).toBe(true)
})

it('what is asked for while others are told is written in the next turn', async () => {
  const writeSoon = createGatheredWrites()
  const both = new Promise<void>(resolve => writeSoon(ours, 'one', () => writeSoon(ours, 'two', resolve)))
  await both
  let received = ''
  theirs.setEncoding('latin1').on('data', text => {
    received += text
  })
  ours.end()
  await once(theirs, 'end')
  expect(received).toBe('onetwo')
})

it('who has gone meanwhile is written nothing, and is told all the same', async () => {
  const writeSoon = createGatheredWrites()
  const told = new Promise<void>(resolve => writeSoon(ours, 'one', resolve))
  ours.destroy()
  await told
  expect(ours.bytesWritten).toBe(0)
})
