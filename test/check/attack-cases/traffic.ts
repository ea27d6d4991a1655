/** The attack cases of requests, answers, sessions and pages: as in sign-in.ts. */
import type { Case } from './sign-in.ts'

const redirects = 'test/attack/open-redirect.test.ts'
const locateUrl = 'test/resource/locate-url.test.ts'
const headers = 'test/attack/headers.test.ts'
const claims = 'test/attack/claims.test.ts'
const paths = 'test/attack/paths.test.ts'
const locate = 'test/resource/locate.test.ts'
const target = 'test/resource/target.test.ts'
const smuggling = 'test/attack/smuggling.test.ts'
const answers = 'test/attack/answers.test.ts'
const sockets = 'test/attack/websocket.test.ts'
const socketLoad = 'test/attack/websocket-load.test.ts'
const cookies = 'test/attack/cookies.test.ts'
const ended = 'test/attack/ended-sessions.test.ts'
const store = 'test/attack/store.test.ts'
const caches = 'test/attack/caches.test.ts'
const reflection = 'test/attack/reflection.test.ts'
const reload = 'test/attack/reload.test.ts'

export const traffic: Readonly<Record<string, readonly Case[]>> = {
  'where people are led': [
    ['OR-01', 'no address to go to after sign-in leads away from us', redirects, locateUrl],
    ['OR-02', 'nor does one at a sign-out', redirects],
    ['OR-06', 'X-Forwarded-Host changes no address of ours', redirects],
    ['OR-07', 'nor does X-Forwarded-Prefix', redirects],
    ['OR-09', 'an address of ours in another spelling is written anew', redirects, locateUrl],
    ['OR-12', 'a starting point of zones is not found, and nothing is asked', redirects],
    ['OR-14', 'line ends in an address add no header', redirects, locateUrl],
    ['OR-15', 'an address of our own is no target', redirects, locateUrl, 'test/flow/site-logout.test.ts'],
  ],
  'who the person is': [
    ['HD-01', 'no name of an identity header gets through, in any spelling', headers],
    ['HD-03', 'nor with a WebSocket handshake', headers],
    ['HD-04', 'nor with Expect', headers],
    ['HD-06', 'nor as a trailer', headers],
    ['HD-08', 'Connection takes no header of ours away', headers],
    ['HD-09', 'nor that of a handshake', headers],
    ['HD-10', 'what is between two hops ends here', headers],
    ['HD-11', 'a claim is data in a header, whatever it holds', claims],
    ['HD-12', 'a claim that is missing is no header, and the client’s is none either', claims],
    ['HD-13', 'several values are one header, or a failure', claims],
    ['HD-16', 'Authorization passes beside our headers', headers],
    ['HD-17', 'a site sets no cookie of ours', headers],
    ['HD-19', 'too many lines are refused, never cut', headers],
  ],
  'paths and hosts': [
    ['PA-01', 'no spelling of a protected path opens it to nobody', paths],
    ['PA-02', 'nor to somebody who may not go there', paths],
    ['PA-05', 'a query is no path', paths, locate],
    ['PA-07', 'a preflight opens nothing', paths],
    ['PA-08', 'the method is the real one', paths, 'test/policy/compile.test.ts'],
    ['PA-10', 'what machines ask is elsewhere, and matched exactly', paths],
    ['PA-11', 'a host has one spelling', paths, locate, target],
    ['PA-13', 'a rule is no regular expression', paths, 'test/case/config/regular-expressions.yaml'],
    ['PA-14', 'a long path costs little', paths, target],
    ['PA-16', 'a reload under load lets nobody in', reload],
    ['PA-17', 'a site below a path is not left', paths, locate],
    ['HO-01', 'one Host, in one reading', 'test/attack/host.test.ts', target],
    ['HO-03', 'no page repeats a made-up Host', 'test/attack/host.test.ts', reflection],
  ],
  'one message read as two': [
    ['SM-01', 'every case of the list has its answer', smuggling],
    ['SM-02', 'a chunked body is the body of one request', smuggling],
    ['SM-03', 'a body that nobody wants is not the next request', smuggling],
    ['SM-04', 'requests on one connection are decided one by one', smuggling],
    ['SM-05', 'bytes behind an answer are nobody’s', answers, 'test/proxy/origin-connection.test.ts'],
    ['SM-06', 'an answer that could be read in two ways is none', answers],
    ['SM-07', 'a body where none may be is not the next answer', answers, 'test/proxy/origin-exchange.test.ts'],
    ['SM-08', 'a thousand answers below 200 are capped', answers],
    ['SM-09', 'a 101 that nobody asked for is 502', answers, 'test/proxy/origin-connection.test.ts'],
    ['SM-12', 'HTTP/2 in clear is not forwarded', smuggling],
    ['SM-13', 'an answer during an upload is delivered, and its connection done with', answers],
    ['DO-05', 'no answer of an origin stops the process', answers],
    ['DO-08', 'names that every object has are names', 'test/policy/compile.test.ts'],
  ],
  WebSockets: [
    ['WS-03', 'none without a live session', sockets],
    ['WS-04', 'no other upgrade', sockets],
    ['WS-05', 'none from other sites', sockets],
    ['WS-06', 'no tunnel before both sides agree', sockets],
    ['WS-07', 'one ends with its session', sockets, socketLoad, 'test/attack/back-channel.test.ts'],
    ['WS-08', 'floods and half-open ends are bounded', socketLoad],
    ['WS-09', 'what comes with the handshake waits for the answer', sockets],
    ['WS-10', 'the origin is told who it is', sockets],
  ],
  'cookies and sessions': [
    ['CK-01', 'ours are Secure, HttpOnly, Lax, and of one host', cookies],
    ['CK-02', 'a planted one is never believed first', cookies],
    ['CK-04', 'too many are a page that drops ours', cookies],
    ['CK-06', 'another person is another id', cookies],
    ['CK-08', 'what stands in one is no key of the store', cookies],
    ['CK-11', 'twenty tabs arrive', 'test/flow/sign-in-tabs.test.ts'],
    ['SE-01', 'a sign-out ends the cookie', ended, 'test/flow/logout.test.ts'],
    ['SE-02', 'idle and absolute limits both hold', ended, 'test/flow/sessions.test.ts'],
    ['SE-03', 'a session ends by the earliest of its limits', 'test/flow/recheck.test.ts'],
    [
      'SE-05',
      'a request under way does not revive it',
      ended,
      'test/flow/sessions.test.ts',
      'test/session/page-client.test.ts',
    ],
    ['SE-07', 'an operator ends all sessions of a person', 'test/flow/operator.test.ts'],
    ['SE-09', 'two gateways on one store agree', store],
    ['RD-01', 'nothing from outside is a key', cookies, ended, store],
    ['RD-02', 'a reader of the store learns no identity', store, 'test/flow/sessions-shared.test.ts'],
    ['RD-03', 'a writer of the store makes no session', store],
    ['RD-04', 'what does not open is no session', store],
  ],
  'pages, caches and configurations': [
    ['XS-01', 'what strangers say is text', reflection],
    ['XS-02', 'a redirect has no body', reflection],
    ['XS-03', 'every answer of ours has its type', reflection],
    ['CP-01', 'no challenge is kept by a cache', caches],
    ['CP-02', 'no header poisons a page', caches],
    ['CP-03', 'no page of somebody is kept under another name', caches],
    ['CP-04', 'keys and metadata are kept for each issuer', caches],
    ['CP-05', 'no decision serves another person', caches],
    [
      'CF-01',
      'a wrong configuration does not start, and is named',
      'test/attack/configuration.test.ts',
      ...['empty-policies', 'references', 'secrets', 'unknown-keys'].map(name => `test/case/config/${name}.yaml`),
    ],
    ['CF-02', 'a reload with a broken file changes nothing', reload],
    ['CF-03', 'a secret that cannot be read opens nothing', 'test/attack/configuration.test.ts'],
  ],
}
