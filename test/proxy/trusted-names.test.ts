import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createNameFilter, fold } from '../../src/proxy/trusted-names.ts'

const { names }: { names: readonly string[] } = JSON.parse(
  readFileSync(new URL('../attack/strings/identity-header-names.json', import.meta.url), 'utf8'),
)
const mayPass = createNameFilter(['X-Remote-User', 'X_Passerelle.Name', 'Subject'])

describe('a header of a client', () => {
  it.each(names)('does not pass under a name that somebody believes: %j', name => {
    expect(mayPass(name)).toBe(false)
    expect(mayPass(name.toUpperCase())).toBe(false)
  })

  it.each(['X-Remote-User', 'subject', 'SUBJECT', '-Subject-', 'x-passerelle-name', 'X--Remote--User'])(
    'does not pass under a name that some resource injects: %s',
    name => expect(mayPass(name)).toBe(false),
  )

  it.each(['Connection', 'TE', 'Transfer-Encoding', 'Content-Length', 'Upgrade', 'Host', 'Expect', 'Keep-Alive'])(
    'does not pass when it belongs to this hop: %s',
    name => expect(mayPass(name)).toBe(false),
  )

  it.each(['Proxy', 'PROXY', 'X-Sendfile-Type', 'X-Accel-Mapping', 'X-Forwarded'])(
    'does not pass when it steers what the site does itself (httpoxy, CVE-2016-5385): %s',
    name => expect(mayPass(name)).toBe(false),
  )

  it.each([
    'Forwarded',
    'X-Forwarded-For',
    'X-Forwarded-Anything',
    'X-Real-IP',
    'CF-Connecting-IP',
    'Via',
    'X-Original-URL',
    'X-Scheme',
    'Front-End-Https',
    'WL-Proxy-Client-IP',
  ])('does not pass when it says where the request came from or went to: %s', name => expect(mayPass(name)).toBe(false))

  it.each(['X_Custom', 'X.Custom', 'X Custom', 'X:Custom', 'X\u00e9', '', 'hasOwnProperty', 'valueOf'])(
    'does not pass when servers read its name in more than one way: %j',
    name => expect(mayPass(name)).toBe(false),
  )

  it.each([
    'Accept',
    'Accept-Language',
    'Authorization',
    'Content-Type',
    'Origin',
    'Referer',
    'Range',
    'If-None-Match',
    'User-Agent',
    'X-Requested-With',
    'X-CSRF-Token',
    'Sec-Fetch-Site',
    'Sec-WebSocket-Key',
    'Depth',
    'Destination',
    'DNT',
    'X-Userland',
    'Remoteness',
    'Authorization-Hint',
  ])('passes when it is the site’s business: %s', name => expect(mayPass(name)).toBe(true))
})

describe('folding a name', () => {
  it.each([
    ['X-Remote-User', 'x-remote-user'],
    ['x_remote.user', 'x-remote-user'],
    ['--X-_.Remote--User_', 'x-remote-user'],
    ['', ''],
    ['-', ''],
  ])('%j is %j', (name, folded) => expect(fold(name)).toBe(folded))
})
