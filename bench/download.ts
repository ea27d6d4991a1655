/** How much memory a large download costs the gateway: bodies must flow through, never be collected. */
import { request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import type { Target } from './load.ts'
import { downloadBytes, downloadPath } from './origin.ts'
import { forgetPeak, peakBytes, residentBytes } from './pinned.ts'

export interface Download {
  /** Resident memory after it, less that before it; bytes. */
  readonly growth: number
  /** The most that was resident while it ran, less that before it; bytes. */
  readonly peakGrowth: number
  readonly seconds: number
}

/** @param pid of a gateway that has served nothing yet but the sign-in */
export async function measureDownloads(target: Target, pid: number, times: number): Promise<Download[]> {
  await download(target)
  const measured: Download[] = []
  for (let i = 0; i < times; i++) {
    await pause(500)
    forgetPeak(pid)
    const before = residentBytes([pid])
    const begun = performance.now()
    await download(target)
    const seconds = (performance.now() - begun) / 1_000
    measured.push({ growth: residentBytes([pid]) - before, peakGrowth: peakBytes(pid) - before, seconds })
  }
  return measured
}

/** @throws Error when a byte is missing */
function download({ port, headers }: Target): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path: downloadPath, headers, agent: false }, answer => {
      let bytes = 0
      answer.on('data', (piece: Buffer) => {
        bytes += piece.length
      })
      answer.on('error', reject)
      answer.on('close', () => {
        if (answer.statusCode === 200 && bytes === downloadBytes) resolve()
        else reject(new Error(`the download gave ${answer.statusCode} and ${bytes} of ${downloadBytes} bytes`))
      })
    })
    sent.on('error', reject)
    sent.end()
  })
}
