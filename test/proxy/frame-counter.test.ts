import { describe, expect, it } from 'vitest'
import { FrameCounter } from '../../src/proxy/frame-counter.ts'
import { seeded } from '../stand-in/seeded.ts'

/** RFC 6455 §5.2. */
function frame(length: number, masked: boolean): Buffer {
  const mask = masked ? 0x80 : 0
  const head = [0x82]
  if (length < 126) head.push(mask | length)
  else if (length < 65_536) head.push(mask | 126, length >> 8, length & 0xff)
  else
    head.push(
      mask | 127,
      0,
      0,
      0,
      0,
      (length >>> 24) & 0xff,
      (length >> 16) & 0xff,
      (length >> 8) & 0xff,
      length & 0xff,
    )
  return Buffer.concat([Buffer.from(head), Buffer.alloc(masked ? 4 : 0, 1), Buffer.alloc(length, 0x81)])
}

describe('between two frames', () => {
  it('is where nothing has come yet', () => expect(new FrameCounter().between).toBe(true))

  it.each(
    [0, 1, 125, 126, 127, 65_535, 65_536, 70_000].flatMap(length => [
      [length, false] as const,
      [length, true] as const,
    ]),
  )('is after the last byte of a frame of %i bytes, masked: %s, and nowhere in it', (length, masked) => {
    const bytes = frame(length, masked)
    const frames = new FrameCounter()
    for (let at = 0; at < bytes.length - 1; at++) {
      frames.count(bytes.subarray(at, at + 1))
      if (frames.between) throw new Error(`between at byte ${at}`)
    }
    frames.count(bytes.subarray(-1))
    expect(frames.between).toBe(true)
  })

  it('does not depend on how the bytes were cut into packets', () => {
    const random = seeded(7)
    const bytes = Buffer.concat(Array.from({ length: 300 }, () => frame(random(400), random(2) === 0)))
    for (let round = 0; round < 20; round++) {
      const frames = new FrameCounter()
      for (let at = 0; at < bytes.length; ) {
        const end = at + 1 + random(900)
        frames.count(bytes.subarray(at, end))
        at = end
      }
      expect(frames.between).toBe(true)
      frames.count(Buffer.from([0x89]))
      expect(frames.between).toBe(false)
    }
  })

  it('is never again in a frame of the greatest length there is', () => {
    const frames = new FrameCounter()
    frames.count(Buffer.from([0x82, 0x7f, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))
    frames.count(Buffer.alloc(1_000_000))
    expect(frames.between).toBe(false)
  })
})
