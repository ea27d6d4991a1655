import { describe, expect, it } from 'vitest'
import { clip, href, html, join } from '../../src/pages/escape.ts'

describe('the html tag', () => {
  it('escapes text, in content and in quoted attributes', () => {
    const name = `<b onclick="x">'&`
    expect(String(html`<a title="${name}">${name}</a>`)).toBe(
      '<a title="&lt;b onclick=&#34;x&#34;&gt;&#39;&amp;">&lt;b onclick=&#34;x&#34;&gt;&#39;&amp;</a>',
    )
  })

  it('leaves its own pieces as they are', () => {
    expect(String(html`<p>${html`<b>${'<'}</b>`}${[html`<i></i>`, html`<u></u>`]}${3}${null}</p>`)).toBe(
      '<p><b>&lt;</b><i></i><u></u>3</p>',
    )
    expect(String(join([html`<i></i>`, html`<u></u>`], html`, `))).toBe('<i></i>, <u></u>')
  })

  it('writes no character that HTML forbids', () => {
    expect(String(html`${'a\u0000b\ud800c\u0085d\u000be\tf\n'}`)).toBe('a\ufffdb\ufffdc\ufffdd\ufffde\tf\n')
  })
})

describe('an address of a link', () => {
  it.each([
    'https://www.example.org/a?b=c&d=e#f',
    'http://acces.localhost:8080/',
    'mailto:acces@example.org?subject=x',
    '/login?to=https%3A%2F%2Fx',
    '?lang=en',
    '#content',
    '/',
    '/a//b/../c;d=%2F',
  ])('may be %s', address => {
    expect(href(address)).toBe(address)
  })

  it.each([
    'javascript:alert(1)',
    'JAVASCRIPT:alert(1)',
    'java\tscript:alert(1)',
    '\u0001javascript:alert(1)',
    ' javascript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'blob:https://x/y',
    'login',
    'https:evil.example',
    '',
    '/a b',
  ])('is / instead of %j', address => {
    expect(href(address)).toBe('/')
  })

  it.each(['//evil.example/x', '/\\evil.example/x', '\\/evil.example/x', '\\\\evil.example/x'])(
    'stays a path of the same host for %j',
    address => {
      const resolved = new URL(href(address), 'https://cours.example.org/')
      expect([resolved.host, resolved.pathname]).toEqual(['cours.example.org', '//evil.example/x'])
    },
  )
})

describe('a long name', () => {
  it('is cut between whole characters, and says so', () => {
    expect(clip('Anne', 4)).toBe('Anne')
    expect(clip('Anne Lefèvre', 5)).toBe('Anne…')
    expect(clip('👩‍👩‍👧‍👦'.repeat(9), 3)).toBe('…')
    expect(clip('e\u0301'.repeat(9), 4)).toBe(`${'e\u0301'.repeat(3)}…`)
  })

  it('stays short where one character is a thousand marks', () => {
    expect(clip(`a${'\u0301'.repeat(10_000)}`, 80).length).toBeLessThanOrEqual(161)
  })
})
