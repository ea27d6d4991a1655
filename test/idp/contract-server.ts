/** The part of the examination for protocols whose idp is a server of somebody else's: it lies, it dies, it forgets the time. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { WireAnswer } from '../stand-in/adversarial-op.ts'
import { type BegunSignIn, type Desk, expectShape, signedIn } from './contract.ts'
import type { IdpServer, Silently } from './sitting.ts'

const returnTo = new URL('http://acces.localhost:8080/signed-out?from=here')

const plainly =
  (status: number, type: string, body: string): WireAnswer =>
  (_, response) =>
    void response.writeHead(status, { 'content-type': type }).end(body)

const cut: WireAnswer = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '900' })
  response.write('{', () => response.destroy())
}

/** What no server should answer and some do; and what it then is to the person who waits. */
const badAnswers: readonly (readonly [string, 'idp.unreachable' | 'idp.invalid-answer', WireAnswer])[] = [
  ['500', 'idp.unreachable', plainly(500, 'text/html', '<h1>Oops</h1>')],
  ['503', 'idp.unreachable', plainly(503, 'text/html', '<h1>Later</h1>')],
  ['429', 'idp.unreachable', plainly(429, 'text/plain', 'slower')],
  ['404', 'idp.invalid-answer', plainly(404, 'text/plain', 'what?')],
  ['a page', 'idp.invalid-answer', plainly(200, 'text/html', '<!doctype html><html><body>Back soon<br></body></html>')],
  ['nothing at all', 'idp.invalid-answer', plainly(200, 'text/plain', '')],
  ['two megabytes', 'idp.invalid-answer', plainly(200, 'application/json', ' '.repeat(2 * 1024 * 1024))],
  ['half an answer', 'idp.unreachable', cut],
  ['a broken connection', 'idp.unreachable', (_, response) => void response.socket?.destroy()],
  ['no HTTP', 'idp.invalid-answer', (_, response) => void response.socket?.end('SSH-2.0-OpenSSH_9.2\r\n')],
]

const silent: WireAnswer = () => {}
const drips: WireAnswer = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' })
  const timer = setInterval(() => response.write(' '), 20)
  response.once('close', () => clearInterval(timer))
}

export function examineServer({ sitting, gateway, begin, hear, signIn, refusal }: Desk): void {
  let server: IdpServer
  beforeEach(() => {
    const here = sitting().server
    if (here === null) throw new Error('there is no server, and the sitting does not say why')
    server = here
  })
  const reply = (...given: Parameters<ReturnType<typeof sitting>['reply']>) => sitting().reply(...given)

  describe('refuses', () => {
    it('a reply that comes again, also where the caller lets it through', async () => {
      const begun = await begin()
      const brought = reply(begun.step)
      await hear(begun, brought)
      expect(await refusal(hear(begun, brought), begun, brought)).toMatchObject({ code: 'idp.rejected' })
    })

    it('the reply to somebody else’s sign-in', async () => {
      const [mine, theirs] = [await begin(), await begin()]
      const injected = reply(theirs.step, { subject: 'eve' })
      expect(await refusal(hear(mine, injected), mine, injected)).toMatchObject({ code: 'idp.rejected' })
    })

    it('a sign-in that was begun at another server under the same name, or of which nothing is left', async () => {
      const begun = await begin()
      const elsewhere = Object.entries(begun.idpPending).map(([name, value]) =>
        value.includes(server.origin) ? [name, 'https://old.example'] : [name, value],
      )
      const before = server.asked()
      for (const idpPending of [Object.fromEntries(elsewhere), {}]) {
        const brought = reply(begun.step)
        expect(await refusal(hear({ ...begun, idpPending }, brought), begun, brought)).toMatchObject({
          code: 'idp.rejected',
        })
      }
      expect(server.asked()).toBe(before)
    })

    it('with its own words, of which the log gets no secret and no line of theirs', async () => {
      const begun = await begin()
      const brought = reply(begun.step)
      server.refuses()
      expect(await refusal(hear(begun, brought), begun, brought)).toMatchObject({ code: 'idp.rejected' })
      expect(begun.taken).toBe(1)
    })
  })

  describe('is told to ask the person again', () => {
    it('only where the sign-in is forced, and is believed when it did', async () => {
      const [free, forced] = [await begin(gateway(), 'as-needed'), await begin(gateway(), 'again')]
      const words = (step: typeof free.step) => (step.kind === 'redirect' ? [...step.to.searchParams.keys()] : [])
      expect(words(forced.step).length).toBeGreaterThan(words(free.step).length)
      const { identity } = signedIn(await hear(forced, reply(forced.step)))
      expect(identity.authenticatedAt).toBeGreaterThanOrEqual(Math.floor(forced.begunAt / 1000))
    })

    it('and is not believed where it answers from memory', async () => {
      const forced = await begin(gateway(), 'again')
      const brought = reply(forced.step, { fromMemory: true })
      expect(await refusal(hear(forced, brought), forced, brought)).toMatchObject({ code: 'idp.rejected' })
    })

    it('or remembers a person, and says since when', async () => {
      server.askedPersonBefore(1_800)
      const { identity } = await signIn()
      expect(identity.authenticatedAt).toBe(Math.floor(sitting().now() / 1000) - 1_800)
    })
  })

  describe('is told to ask nobody', () => {
    function silently(): Silently {
      const { silently: how } = sitting()
      if (how === null) throw new Error('every server can be told to ask nobody')
      return how
    }
    const never = () => begin(gateway(), 'never')
    const parametersOf = (step: BegunSignIn['step']) => (step.kind === 'redirect' ? [...step.to.searchParams] : [])

    it('in the words of its protocol, and never to ask again besides', async () => {
      const [free, silent] = [await begin(), await never()]
      const names = parametersOf(free.step).map(([name]) => name)
      const more = parametersOf(silent.step).filter(([name]) => !names.includes(name))
      expect(more).toEqual([silently().word])
      expect(parametersOf((await begin(gateway(), 'again')).step)).not.toContainEqual(silently().word)
    })

    it('and signs in whom it remembers, as at any other time', async () => {
      server.askedPersonBefore(1_800)
      const silent = await never()
      const { identity } = signedIn(await hear(silent, reply(silent.step)))
      expect(identity.subject).toBe(sitting().subject)
      expect(identity.authenticatedAt).toBe(Math.floor(sitting().now() / 1000) - 1_800)
    })

    it('and where it remembers nobody says so: the sign-in is used up, nobody is asked about it, and it is no failure', async () => {
      for (const [what, brought] of silently().nobody) {
        const one = await never()
        const heard = await hear(one, brought(one))
        expect([heard.kind, one.taken, server.asked()], what).toEqual(['nobody', 1, 0])
      }
      expect(gateway().provider.health()).toBe('up')
    })

    it('and only then may say so: to a sign-in that may ask it is a refusal', async () => {
      for (const asking of ['as-needed', 'again'] as const) {
        for (const [what, brought] of silently().nobody) {
          const one = await begin(gateway(), asking)
          const said = brought(one)
          expect((await refusal(hear(one, said), one, said)).code, what).toBe('idp.rejected')
          expect(server.asked(), what).toBe(0)
        }
      }
    })

    it('and cannot fail in silence: whatever else it says is refused as ever', async () => {
      for (const [what, brought] of silently().refused) {
        const one = await never()
        const said = brought(one)
        expect((await refusal(hear(one, said), one, said)).code, what).toBe('idp.rejected')
      }
      for (const [what, bend] of sitting().worthless) {
        const silent = await never()
        const bent = reply(silent.step)
        bend(bent.parameters)
        const before = server.asked()
        // Of these, only what says that nobody is there may pass.
        const heard = await hear(silent, bent).catch((error: unknown) => error)
        if (heard instanceof Error) expect(heard, what).toMatchObject({ code: 'idp.rejected' })
        else expect(heard, what).toEqual({ kind: 'nobody' })
        expect(server.asked(), what).toBe(before)
      }
    })
  })

  describe('has a clock of its own', () => {
    it.each([60, -60])('that may be wrong by %i seconds: nobody was signed in in the future', async seconds => {
      server.clockIsWrong(seconds)
      const { identity, issuedAt } = await signIn()
      const now = sitting().now() / 1000
      expect(Math.abs(issuedAt - now)).toBeLessThanOrEqual(60)
      expect(now - identity.authenticatedAt).toBeLessThanOrEqual(60)
      expect(identity.authenticatedAt).toBeLessThanOrEqual(now)
    })

    it.each([86_400, 1e9])(
      'and where it is %i seconds ahead is refused, or not believed about the time',
      async ahead => {
        server.clockIsWrong(ahead)
        const begun = await begin()
        const brought = reply(begun.step)
        const heard = await hear(begun, brought).catch((error: unknown) => error)
        if (heard instanceof Error) return expect(heard).toMatchObject({ code: 'idp.rejected' })
        const { identity } = signedIn(heard as Awaited<ReturnType<typeof hear>>)
        expect(identity.authenticatedAt).toBeLessThanOrEqual(sitting().now() / 1000)
      },
    )
  })

  describe('says of a person', () => {
    it('nothing but who it is: that is enough', async () => {
      server.says({})
      const { identity } = await signIn()
      expect(identity.subject).toBe(sitting().subject)
      expectShape(identity.claims)
    })

    it('a name in Unicode and with markup, which is what it is', async () => {
      const name = 'Élodie <b>N’Guyễn</b> &amp; "Cie" 日本 😀'
      server.says({ displayName: [name] })
      const { identity } = await signIn()
      expect(identity.claims.displayName).toEqual([name])
    })

    it('a value of two lines, which is one value', async () => {
      const value = 'Chef\r\nX-Remote-User: root'
      server.says({ title: [value], ou: ['INSB'] })
      const { identity } = await signIn()
      expect(identity.claims.title).toEqual([value])
      expect(identity.claims.ou).toEqual(['INSB'])
    })

    it('three hundred values of one claim, in their order', async () => {
      const groups = Array.from({ length: 300 }, (_, index) => `group-${index}`)
      server.says({ groups })
      expect((await signIn()).identity.claims.groups).toEqual(groups)
    })

    it('more than anybody needs: cut at a thousand values, without those over ten thousand characters', async () => {
      const groups = Array.from({ length: 3_000 }, (_, index) => `group-${index}`)
      server.says({ groups, essay: ['x'.repeat(10_001)], whole: ['x'.repeat(10_000)] })
      const { claims } = (await signIn()).identity
      expect(claims.groups).toEqual(groups.slice(0, 1_000))
      expect([claims.essay, claims.whole?.[0]?.length]).toEqual([undefined, 10_000])
    })

    it('more than a megabyte: nonsense', async () => {
      server.says({ essay: ['x'.repeat(1024 * 1024)] })
      const begun = await begin()
      const brought = reply(begun.step)
      expect(await refusal(hear(begun, brought), begun, brought)).toMatchObject({ code: 'idp.invalid-answer' })
    })

    it('things named like parts of JavaScript’s objects, which are claims like any other', async () => {
      server.says({ constructor: ['y'], toString: ['z'] } as unknown as Record<string, readonly string[]>)
      const { claims } = (await signIn()).identity
      expectShape(claims)
      expect([claims.constructor, claims.toString]).toEqual([['y'], ['z']])
    })

    it('a name of two lines, or none: it is nobody', async () => {
      for (const subject of ['anna\nroot', '', 'x'.repeat(256)]) {
        const begun = await begin()
        const brought = reply(begun.step, { subject })
        expect((await refusal(hear(begun, brought), begun, brought)).code).toMatch(/^idp\.(?:rejected|invalid-answer)$/)
      }
    })
  })

  describe('answers', () => {
    it.each(badAnswers)('%s when a sign-in begins: %s', async (_, code, answer) => {
      server.answers('look', answer)
      expect(await refusal(begin())).toMatchObject({ code })
      expect(gateway().provider.health()).toBe('down')
    })

    it.each(badAnswers)('%s to a reply: %s, and nobody is signed in', async (_, code, answer) => {
      const begun = await begin()
      const brought = reply(begun.step)
      server.answers('ask', answer)
      expect(await refusal(hear(begun, brought), begun, brought)).toMatchObject({ code })
      expect(begun.taken).toBe(1)
      // A reply is good for one question.
      expect(server.asked()).toBe(1)
    })

    it.each(['look', 'ask'] as const)('with a redirect where it is %sed at: nobody follows it', async which => {
      const begun = await begin()
      const brought = reply(begun.step)
      const away: WireAnswer = (_, response) =>
        void response.writeHead(302, { location: `${server.origin}/internal` }).end()
      server.answers(which, away)
      sitting().advance(10_000)
      const failed = which === 'look' ? begin() : hear(begun, brought)
      expect(await refusal(failed, begun, brought)).toMatchObject({ code: 'idp.invalid-answer' })
      expect(server.strays()).toBe(0)
    })

    it.each([
      ['nothing', silent],
      ['a byte now and then', drips],
    ])('%s for ever: it is given up at the deadline, whatever came', async (_, answer) => {
      const deadlineMs = 1_000
      const hurried = sitting().examined(deadlineMs)
      const begun = await begin(hurried)
      const brought = reply(begun.step)
      server.answers('ask', answer)
      const [asked, heard] = [performance.now(), hear(begun, brought, hurried)]
      expect(await refusal(heard, begun, brought)).toMatchObject({ code: 'idp.unreachable' })
      expect(performance.now() - asked).toBeGreaterThanOrEqual(deadlineMs - 50)
      server.answers('look', answer)
      sitting().advance(10_000)
      expect(await refusal(begin(hurried))).toMatchObject({ code: 'idp.unreachable' })
    })
  })

  describe('comes and goes', () => {
    it('and is unknown until somebody needs it', async () => {
      expect([gateway().provider.health(), gateway().events]).toEqual(['unknown', []])
      await begin()
      expect(gateway().provider.health()).toBe('up')
    })

    it('and each change is told once, however many people come', async () => {
      const changes = () => gateway().events.map(({ name }) => name)
      await Promise.all(Array.from({ length: 20 }, () => begin()))
      expect([server.looked(), ...changes()]).toEqual([1, 'idp.up'])
      await server.goDown()
      for (let look = 0; look < 3; look++) {
        sitting().advance(10_000)
        const people = Array.from({ length: 20 }, () => refusal(begin()))
        for (const error of await Promise.all(people)) expect(error).toMatchObject({ code: 'idp.unreachable' })
      }
      expect([gateway().provider.health(), ...changes()]).toEqual(['down', 'idp.up', 'idp.down'])
      await server.comeUp()
      sitting().advance(10_000)
      await Promise.all(Array.from({ length: 20 }, () => begin()))
      expect([gateway().provider.health(), ...changes()]).toEqual(['up', 'idp.up', 'idp.down', 'idp.up'])
      for (const event of gateway().events) expect(event).toMatchObject({ idp: 'campus' })
    })

    it('and when it fails on a reply is looked at again, before the next person is sent there', async () => {
      const begun = await begin()
      const brought = reply(begun.step)
      await server.goDown()
      expect(await refusal(hear(begun, brought), begun, brought)).toMatchObject({ code: 'idp.unreachable' })
      await expect.poll(() => gateway().provider.health()).toBe('down')
    })
  })

  describe('is where a sign-out ends', () => {
    it('with our address to come back to and our state, and nowhere else', async () => {
      const { keep } = await signIn()
      const state = 'o'.repeat(43)
      const step = await gateway().provider.end(keep, returnTo, state)
      if (step === null) return
      expect(step.to.origin).toBe(server.origin)
      const told = [...step.to.searchParams.values()].join(' ')
      expect(told).toContain(returnTo.href)
      expect(told).toContain(state)
    })

    it('also after a restart of the gateway, and with nothing kept', async () => {
      const step = await sitting().examined().provider.end({}, returnTo, 's')
      expect(step?.to.origin ?? server.origin).toBe(server.origin)
    })

    it('unless it is known to be down: nobody is sent to a page of the browser', async () => {
      const { keep } = await signIn()
      await server.goDown()
      sitting().advance(10_000)
      await refusal(begin())
      expect(await gateway().provider.end(keep, returnTo, 's')).toBeNull()
    })
  })
}
