/** The benchmark is not run in tests; what it makes of figures is checked here. */
import { describe, expect, it } from 'vitest'
import { type Run, readReport } from '../../bench/load.ts'
import type { Peer } from '../../bench/peers/peer.ts'
import { judge, median, table } from '../../bench/result.ts'

const report = `Running 5s test @ http://127.0.0.1:34567/page.html
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.45ms    1.13ms  31.20ms   93.99%
    Req/Sec    26.30k     2.00k   29.11k    72.00%
  Latency Distribution
     50%  750.00us
     75%    2.65ms
     90%    3.01ms
     99%    1.02s
  130869 requests in 5.00s, 162.24MB read
Requests/sec:  26158.40
Transfer/sec:     32.43MB
`

describe('a report of wrk', () => {
  it('is read with its units', () => {
    expect(readReport(report)).toEqual({ requests: 130_869, requestsPerSecond: 26_158.4, p50Ms: 0.75, p99Ms: 1_020 })
  })

  it('with failed requests is no result', () => {
    const failed = report.replace(
      'Requests/sec',
      '  Socket errors: connect 0, read 3, write 0, timeout 0\nRequests/sec',
    )
    expect(() => readReport(failed)).toThrow('read 3')
    const refused = report.replace('Requests/sec', '  Non-2xx or 3xx responses: 130869\nRequests/sec')
    expect(() => readReport(refused)).toThrow('Non-2xx')
  })
})

describe('the goals', () => {
  const names = { ours: ['ours'], nginx: 'nginx', textbook: 'textbook' }

  it('are met at exactly their limit, and missed below it', () => {
    const measured = [measure('nginx', 1_000), measure('textbook', 100), measure('ours', 450)]
    expect(judge(measured, [grown(31_999_999)], names).map(({ met }) => met)).toEqual([true, true, true])
    expect(judge([...measured.slice(0, 2), measure('ours', 399)], [grown(32_000_000)], names)).toMatchObject([
      { met: false, sentence: expect.stringContaining('0.40 ×') },
      { met: false, sentence: expect.stringContaining('3.99 ×') },
      { met: false },
    ])
  })

  it('are not judged where a peer is missing', () => {
    expect(judge([measure('ours', 450)], null, names).map(({ met }) => met)).toEqual([null, null, null])
  })

  it('ask of our second row that it keeps up with the first', () => {
    const two = { ...names, ours: ['memory', 'Redis'] }
    const goal = (redis: number) => judge([measure('memory', 100), measure('Redis', redis)], null, two)[4]
    expect(goal(97)).toMatchObject({ met: true, sentence: expect.stringContaining('“memory”') })
    expect(goal(96)).toMatchObject({ met: false })
  })

  it('look at the median, so that one bad round decides nothing', () => {
    expect(median([3, 1, 100])).toBe(3)
    expect(median([1, 2, 3, 10])).toBe(2.5)
  })
})

it('the table shows least, median and most, and the ratios', () => {
  const told = table([measure('nginx', 900, 1_000, 1_100), measure('ours', 400, 500, 600)], {
    ours: ['ours'],
    nginx: 'nginx',
    textbook: 'textbook',
  })
  expect(told).toContain('| **ours** | 400 / **500** / 600 | 0.50 | – |')
})

function measure(name: string, ...rates: number[]) {
  const peer: Peer = { name, work: '', needs: [], protects: false, start: () => Promise.reject(new Error('not here')) }
  const rest = { requestsPerCpuSecond: 1, cpu: 1, others: 0, p50Ms: 1, p99Ms: 2, residentBytes: 1 }
  return { peer, runs: rates.map((requestsPerSecond): Run => ({ requestsPerSecond, ...rest })) }
}

function grown(growth: number) {
  return { growth, peakGrowth: growth, seconds: 1 }
}
