/** What CAS servers say, in all the shapes seen in the field, and in those that nobody should believe. */
import { describe, expect, it } from 'vitest'
import { ticketOfLogoutRequest } from '../../src/idp/cas/logout-request.ts'
import { readServiceResponse } from '../../src/idp/cas/service-response.ts'
import { promised } from '../stand-in/measure.ts'

const success = (inside: string) =>
  `<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas"><cas:authenticationSuccess>${inside}</cas:authenticationSuccess></cas:serviceResponse>`

const attributes = (inside: string) => {
  const answer = readServiceResponse(success(`<cas:user>anne</cas:user>${inside}`))
  return answer.kind === 'success' ? { ...answer.attributes } : null
}

describe('the answer to a ticket', () => {
  it('names the user, whatever white space stands around', () => {
    expect(readServiceResponse(success('\n  <cas:user>\n    anne.martin </cas:user>\n'))).toMatchObject({
      kind: 'success',
      user: 'anne.martin',
    })
  })

  it('names somebody else where a space of another kind stands before a name: only the white space of XML is none', () => {
    for (const space of ['\u00a0', '\u2003', '\ufeff', '\u200b', '\u3000']) {
      for (const user of [`${space}admin`, `admin${space}`]) {
        expect(readServiceResponse(success(`<cas:user>\n${user} </cas:user>`))).toMatchObject({ user })
        expect(
          attributes(`<cas:attributes><cas:a>${user}</cas:a><cas:b>[x, ${user}]</cas:b></cas:attributes>`),
        ).toEqual({
          a: [user],
          b: ['x', user],
        })
      }
    }
  })

  it('may use any prefix, or none, as long as the namespace is that of CAS', () => {
    const plain =
      '<serviceResponse xmlns="http://www.yale.edu/tp/cas"><authenticationSuccess><user>anne</user></authenticationSuccess></serviceResponse>'
    expect(readServiceResponse(plain)).toMatchObject({ user: 'anne' })
    expect(() => readServiceResponse(plain.replace('tp/cas', 'tp/case'))).toThrow(/no CAS service response/)
    expect(() => readServiceResponse(plain.replace(' xmlns="http://www.yale.edu/tp/cas"', ''))).toThrow(/no CAS/)
  })

  it('is a failure with the word of the server', () => {
    expect(
      readServiceResponse(
        '<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas"><cas:authenticationFailure code="INVALID_TICKET">Ticket ST-1 not recognized</cas:authenticationFailure></cas:serviceResponse>',
      ),
    ).toEqual({ kind: 'failure', code: 'INVALID_TICKET', message: 'Ticket ST-1 not recognized' })
  })

  it('is read whole where a comment or CDATA stands in the name: a part of it would be somebody else', () => {
    expect(readServiceResponse(success('<cas:user>admin<!-- -->.evil</cas:user>'))).toMatchObject({
      user: 'admin.evil',
    })
    expect(readServiceResponse(success('<cas:user><![CDATA[<admin>]]>x</cas:user>'))).toMatchObject({
      user: '<admin>x',
    })
  })

  it.each([
    ['success somewhere else', '<x><cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas"/></x>'],
    ['success in a failure', success('').replaceAll('authenticationSuccess', 'authenticationFailureSuccess')],
    [
      'failure and success side by side',
      success('<cas:user>a</cas:user>').replace(
        '<cas:authenticationSuccess>',
        '<cas:authenticationFailure code="X"/><cas:authenticationSuccess>',
      ),
    ],
    ['no user', success('')],
    ['two users', success('<cas:user>anne</cas:user><cas:user>root</cas:user>')],
    ['a user in a user', success('<cas:user><cas:user>root</cas:user></cas:user>')],
    ['a user of another namespace', success('<user xmlns="urn:x">root</user>')],
    ['an empty user', success('<cas:user> </cas:user>')],
    ['a user with a letter that was lost', success('<cas:user>andr\ufffd</cas:user>')],
    ['a user with a line break', success('<cas:user>anne&#10;root</cas:user>')],
    ['a user of 256 characters', success(`<cas:user>${'a'.repeat(256)}</cas:user>`)],
    [
      'an entity of its own',
      `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${success('<cas:user>&e;</cas:user>')}`,
    ],
    ['a document type', `<!DOCTYPE html>${success('<cas:user>anne</cas:user>')}`],
    ['an entity without a type', success('<cas:user>&secret;</cas:user>')],
    ['a processing instruction', `${success('<cas:user>anne</cas:user>')}<?php evil ?>`],
    ['half a document', success('<cas:user>anne</cas:user>').slice(0, -10)],
    ['two documents', success('<cas:user>anne</cas:user>').repeat(2)],
    ['HTML', '<html><body>Sign in<br></body></html>'],
    ['nothing', ''],
    ['a thousand levels', `${'<a>'.repeat(1000)}${'</a>'.repeat(1000)}`],
  ])('is refused: %s', (_, xml) => {
    expect(() => readServiceResponse(xml)).toThrow(expect.objectContaining({ code: 'idp.invalid-answer' }))
  })

  it('CA-08: is refused where the ticket came through another application', () => {
    const proxied = success(
      '<cas:user>anne</cas:user><cas:proxies><cas:proxy>https://other.example.org/pgt</cas:proxy></cas:proxies>',
    )
    expect(() => readServiceResponse(proxied)).toThrow(expect.objectContaining({ code: 'idp.rejected' }))
  })

  it('takes time in proportion to its size: a megabyte is read in well under a second', () => {
    const values = Array.from(
      { length: 15_000 },
      (_, index) => `<cas:a${index % 900}>value number ${index}</cas:a${index % 900}>`,
    )
    const begun = performance.now()
    expect(Object.keys(attributes(`<cas:attributes>${values.join('')}</cas:attributes>`) ?? {})).toHaveLength(900)
    expect(performance.now() - begun).toBeLessThan(promised(2_000))
  })
})

describe('attributes', () => {
  it('in a text that is a list of a hundred thousand values cost no more than one value as often', () => {
    const among = (texts: readonly string[]) => `<cas:attributes><cas:a>[${texts.join(',')}]</cas:a></cas:attributes>`
    const indices = Array.from({ length: 100_000 }, (_, index) => index.toString(36).padStart(4, '0'))
    const [all, one] = [among(indices), among(indices.map(() => '0000'))]
    /** Of this process: what others do meanwhile is not counted. */
    const cpuOf = (xml: string) => {
      const before = process.cpuUsage()
      attributes(xml)
      const { user, system } = process.cpuUsage(before)
      return user + system
    }
    const times = Array.from({ length: 5 }, () => [cpuOf(all), cpuOf(one)] as const)
    const [ofAll, ofOne] = [Math.min(...times.map(([first]) => first)), Math.min(...times.map(([, last]) => last))]
    expect(ofAll).toBeLessThan(ofOne * 4)
    expect(attributes(all)?.a).toHaveLength(1_000)
  })

  it('of an element that bears a name twice, in two namespaces, are what stands there without a prefix', () => {
    const twice = 'xmlns:x="urn:x" x:name="role" name="mail" x:value="root" value="a@example.org"'
    const turned = 'name="mail" xmlns:x="urn:x" x:name="role" value="a@example.org" x:value="root"'
    for (const written of [twice, turned]) {
      expect(attributes(`<cas:attributes><cas:attribute ${written}/></cas:attributes>`)).toEqual({
        mail: ['a@example.org'],
      })
    }
  })

  it('are lists, flat and repeated', () => {
    expect(
      attributes(
        '<cas:attributes><cas:mail>a@example.org</cas:mail><cas:ou>INSB</cas:ou><cas:ou>INEE</cas:ou><cas:empty/></cas:attributes>',
      ),
    ).toEqual({ mail: ['a@example.org'], ou: ['INSB', 'INEE'] })
  })

  it('count once where they come in two shapes', () => {
    expect(
      attributes(
        '<cas:attributes><cas:mail>a@example.org</cas:mail><cas:attribute name="mail" value="a@example.org"/></cas:attributes><cas:mail>a@example.org</cas:mail>',
      ),
    ).toEqual({ mail: ['a@example.org'] })
    expect(attributes('<cas:attribute name="ENTPersonProfils">National_ENS</cas:attribute>')).toEqual({
      ENTPersonProfils: ['National_ENS'],
    })
  })

  it('have a path where they are nested, as on the portals of schools', () => {
    const claims = attributes(`
      <cas:attributes>
        <cas:isFromNewLogin>true</cas:isFromNewLogin>
        <cas:userAttributes>
          <cas:login>anne.martin</cas:login>
          <cas:profile>Teacher</cas:profile>
          <cas:schools>
            <cas:school externalId="0870003F" main="true"><cas:name>Lycée</cas:name><cas:classes><cas:classe externalId="2A"/><cas:classe externalId="2B"/></cas:classes></cas:school>
            <cas:school externalId="0541234A"/>
          </cas:schools>
        </cas:userAttributes>
      </cas:attributes>`)
    expect(claims).toMatchObject({
      '/userAttributes/login': ['anne.martin'],
      '/userAttributes/profile': ['Teacher'],
      '/userAttributes/schools/school/@externalId': ['0870003F', '0541234A'],
      '/userAttributes/schools/school/classes/classe/@externalId': ['2A', '2B'],
      '/userAttributes/schools/school/name': ['Lycée'],
    })
  })

  it('that are a list in a wrapper of their own have the name of the wrapper', () => {
    expect(
      attributes(
        '<cas:attributes><cas:ENTPersonProfils><cas:ENTPersonProfil>National_ENS</cas:ENTPersonProfil><cas:ENTPersonProfil>National_DOC</cas:ENTPersonProfil></cas:ENTPersonProfils></cas:attributes>',
      ),
    ).toMatchObject({ ENTPersonProfils: ['National_ENS', 'National_DOC'] })
  })

  it('that are lists written as text are lists', () => {
    expect(
      attributes(
        '<cas:attributes><cas:a>["0541234A", "0541235B"]</cas:a><cas:b>[INSB, INEE]</cas:b><cas:c>[]</cas:c><cas:d>[sic]</cas:d><cas:e>[1,2]</cas:e><cas:f>["a",{"b":1}]</cas:f></cas:attributes>',
      ),
    ).toEqual({ a: ['0541234A', '0541235B'], b: ['INSB', 'INEE'], d: ['sic'], e: ['1', '2'], f: ['["a",{"b":1}]'] })
  })

  it('keep markup, Unicode and three hundred values as they are', () => {
    const many = Array.from({ length: 300 }, (_, index) => `<cas:g>${index}</cas:g>`).join('')
    const claims = attributes(`<cas:attributes><cas:n>&lt;b&gt;Éloïse 😀 &amp; Cie</cas:n>${many}</cas:attributes>`)
    expect(claims?.n).toEqual(['<b>Éloïse 😀 & Cie'])
    expect(claims?.g).toHaveLength(300)
  })

  it('reach no prototype', () => {
    const claims = attributes(
      '<cas:attributes><cas:__proto__>x</cas:__proto__><cas:constructor>y</cas:constructor></cas:attributes>',
    )
    expect(Object.keys(claims ?? {})).toEqual(['__proto__', 'constructor'])
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })
})

describe('a logout request', () => {
  const request = (inside: string) =>
    `<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_1" Version="2.0" IssueInstant="2026-11-20T12:00:00Z"><saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">@NOT_USED@</saml:NameID>${inside}</samlp:LogoutRequest>`

  it('names one ticket', () => {
    expect(ticketOfLogoutRequest(request('<samlp:SessionIndex> ST-1-abc </samlp:SessionIndex>'))).toBe('ST-1-abc')
  })

  it.each([
    ['no ticket', request('')],
    [
      'two tickets',
      request('<samlp:SessionIndex>ST-1</samlp:SessionIndex><samlp:SessionIndex>ST-2</samlp:SessionIndex>'),
    ],
    ['a ticket of another namespace', request('<SessionIndex xmlns="urn:x">ST-1</SessionIndex>')],
    [
      'another message',
      request('<samlp:SessionIndex>ST-1</samlp:SessionIndex>').replaceAll('LogoutRequest', 'LogoutResponse'),
    ],
    ['an entity', `<!DOCTYPE x [<!ENTITY e "ST-1">]>${request('<samlp:SessionIndex>&e;</samlp:SessionIndex>')}`],
    ['a ticket with an element in it', request('<samlp:SessionIndex>ST-1<x/></samlp:SessionIndex>')],
    ['a ticket within another element', request('<x><samlp:SessionIndex>ST-1</samlp:SessionIndex></x>')],
    ['its prefix bound anew', request('<samlp:SessionIndex xmlns:samlp="urn:x">ST-1</samlp:SessionIndex>')],
    ['more than anybody writes', request(`${'<a/>'.repeat(2_000)}<samlp:SessionIndex>ST-1</samlp:SessionIndex>`)],
    ['no XML', 'ST-1'],
  ])('with %s is none', (_, xml) => expect(ticketOfLogoutRequest(xml)).toBeNull())
})
