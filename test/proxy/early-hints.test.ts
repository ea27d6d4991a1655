import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { hintedLinks } from '../../src/proxy/early-hints.ts'
import { seeded } from '../stand-in/seeded.ts'

const linksOf = (line: string) => hintedLinks(['Link', line])

describe('a hint', () => {
  it.each([
    ['</a.css>; rel=preload; as=style', ['</a.css>; rel=preload; as=style']],
    ['<a>', ['<a>']],
    ['<a> ; rel="preload"\t;crossorigin', ['<a> ; rel="preload"\t;crossorigin']],
    ['<a>; rel=preload, <b,c;d>; rel=x,<e>', ['<a>; rel=preload', '<b,c;d>; rel=x', '<e>']],
    [' <a>; x="y,z" , <b> ', ['<a>; x="y,z"', '<b>']],
    ["<a>; title*=UTF-8'en'x; x=a=b", ["<a>; title*=UTF-8'en'x; x=a=b"]],
  ])('is passed on link by link: %j', (line, links) => expect(linksOf(line)).toEqual(links))

  it.each([
    '',
    'a',
    '<a',
    '<a>b',
    '<a>;',
    '<a>; =b',
    '<a>; b c',
    '<a>; b="c',
    '<a>; b="c d"',
    '<a>; b=\xa0',
    '<a\xe9>',
    '<a b>',
  ])('that node would not read is dropped: %j', line => expect(linksOf(line)).toEqual([]))

  it('is passed on up to the first link that node would not read', () => {
    expect(linksOf('<a>, <b>; x y, <c>')).toEqual(['<a>'])
  })

  it('is in the Link lines only', () => {
    expect(hintedLinks(['X', '<a>', 'LINK', '<b>', 'Set-Cookie', '<c>', 'link', '<d>'])).toEqual(['<b>', '<d>'])
  })
})

describe('what node gets', () => {
  /** Lines made of what links are made of, and of what breaks them. */
  function oddLine(below: (limit: number) => number): string {
    const one = (list: readonly string[]) => list[below(list.length)] as string
    const parts = [
      '<a>',
      '; a=b',
      '; a="b"',
      ';c',
      ';d=="e"',
      ', ',
      ' ',
      '"',
      '=',
      ';',
      '\xa0',
      '<',
      '>',
      '\t',
      'x',
      '; a="b',
      '\\',
    ]
    return `<a>${Array.from({ length: below(8) }, () => one(parts)).join('')}${'; a=b'.repeat(below(40))}${one(parts)}`
  }

  it('it takes, and at once: five thousand odd lines', async () => {
    const below = seeded(8297)
    const lines = Array.from({ length: 5_000 }, () => oddLine(below))
    const begun = process.cpuUsage()
    const links = lines.flatMap(linksOf)
    const server = http.createServer((_, response) => {
      for (const link of links) response.writeEarlyHints({ link: [link] })
      response.end('ok')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const request = http.get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false })
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    response.resume()
    await once(response, 'end')
    server.close()
    expect(response.statusCode).toBe(200)
    expect(links.length).toBeGreaterThan(1_000)
    expect(process.cpuUsage(begun).user / 1_000).toBeLessThan(20_000)
  })

  it.each([
    ['a wrong end behind many parameters', `<a>${'; a=b'.repeat(10_000)}"`],
    ['quotes', `<a>${'; a="b"'.repeat(8_000)};`],
    ['spaces', `<a>;${' '.repeat(60_000)}x y`],
    ['one long name', `<a>;${'a'.repeat(60_000)}"`],
    ['signs of equality', `<a>; a=${'='.repeat(60_000)}"`],
    ['commas', `${'<a>,'.repeat(15_000)}<`],
  ])('is found in time that is in proportion to the line: %s', (_, line) => {
    const begun = process.cpuUsage()
    linksOf(line)
    expect(process.cpuUsage(begun).user / 1_000).toBeLessThan(2_500)
  })
})
