/** The attack cases of signing in and out: what each asks for, and the files whose tests bear its number in their names. */

/** Number, what must hold, and where it is shown. */
export type Case = readonly [number: string, holds: string, ...files: string[]]

const idToken = 'test/idp/id-token.test.ts'
const keys = 'test/idp/keys.test.ts'
const reply = 'test/idp/callback.test.ts'
const callback = 'test/attack/callback.test.ts'
const logoutToken = 'test/idp/logout-token.test.ts'
const back = 'test/attack/back-channel.test.ts'
const front = 'test/attack/front-channel.test.ts'
const cas = 'test/flow/cas-login.test.ts'
const silent = 'test/flow/silent.test.ts'
const casAnswer = 'test/idp/cas-answers.test.ts'
const casCallback = 'test/attack/cas-callback.test.ts'
const crossSite = 'test/attack/cross-site.test.ts'

export const signingInAndOut: Readonly<Record<string, readonly Case[]>> = {
  'OpenID Connect': [
    ['OI-01', 'an ID token without a signature is refused', idToken],
    ['OI-02', 'so is one whose signature is broken', idToken],
    ['OI-03', 'so is one with an HMAC for a signature, of the public key or of our secret', idToken],
    ['OI-04', 'so is one of another issuer', idToken],
    ['OI-05', 'so is one that is not for us, or not for us alone and not by our leave', idToken],
    ['OI-06', 'so is one whose times are missing, past, to come, or no times', idToken],
    ['OI-07', 'so is one with another nonce than the sign-in’s', idToken],
    [
      'OI-08',
      'a subject is a text of 1 to 255 characters, and the same in both answers',
      idToken,
      'test/idp/answers.test.ts',
    ],
    ['OI-09', 'a key is found by its name alone, with one more look in a cool-down', keys],
    ['OI-10', 'no token brings its own key, or an extension that must be understood', idToken],
    ['OI-11', 'hashes of the code and the access token are compared where they are there', idToken],
    ['OI-12', 'encrypted tokens cost nothing and say nothing', idToken],
    ['OI-13', 'a token answer that is nonsense, endless or a redirect is one page', 'test/idp/answers.test.ts'],
    ['OI-14', 'metadata name the issuer that was asked, and addresses that may be asked', 'test/idp/discovery.test.ts'],
    ['OI-15', 'a set of keys has an end, and weak keys verify nothing', keys, logoutToken],
    ['OI-16', 'a callback without our state, twice, or with an error is 400, escaped', reply, callback],
    ['OI-17', 'the reply’s issuer is the one that was asked', reply, callback],
    ['OI-18', 'the reply of one idp is nothing at the address of another', callback, casCallback],
    ['OI-19', 'a code of another sign-in is stopped by PKCE, else by the nonce', reply, callback],
    ['OI-20', 'each sign-in has its own nonce and verifier, and sends S256', reply],
    ['OI-21', 'a reply counts once, however often it comes', callback, casCallback],
    ['OI-22', 'nobody but a person who opens it uses a reply up', callback, 'test/flow/posted-reply.test.ts'],
    [
      'OI-23',
      'a refresh names the same person, once at a time, and its refusal ends the session',
      'test/idp/refresh.test.ts',
      'test/session/recheck.test.ts',
      'test/flow/recheck.test.ts',
    ],
    ['OI-24', 'a minute between two clocks is nothing, five are refused and said', idToken],
    ['OI-25', 'a provider may change its key before or after it signs', keys],
    [
      'OI-26',
      'claims are compared as they are, and an unverified address is none',
      'test/idp/claims.test.ts',
      'test/model/pattern.test.ts',
    ],
    [
      'OI-27',
      'a rule about a claim that is missing lets nobody in, and a slip in a rule stops the start',
      'test/policy/compile.test.ts',
      'test/case/config/policy-names.yaml',
    ],
    [
      'OI-28',
      'login_required is one page, or where we asked for silence one sign-in; no loop',
      reply,
      callback,
      silent,
    ],
    ['OI-29', 'a sign-in that somebody else begins is one of ours', callback],
    ['OI-30', 'a storm of sign-ins costs the idp nothing', callback],
  ],
  'the back channel': [
    [
      'BL-01',
      'a logout token ends the sessions that it names, and no other',
      back,
      'test/flow/logout-at-provider.test.ts',
    ],
    ['BL-02', 'one that is not signed by a key of the idp is 400', logoutToken, back],
    ['BL-03', 'so is one of another issuer, or for somebody else', logoutToken, back],
    ['BL-04', 'so is one without the event', logoutToken, back],
    ['BL-05', 'so is one with a nonce', logoutToken, back],
    [
      'BL-07',
      'so is one out of its time or without an id; the same twice has no effect',
      logoutToken,
      back,
      'test/logout/from-idp.test.ts',
    ],
    ['BL-08', 'so is a token made for another purpose', logoutToken],
    ['BL-10', 'one that overtakes its sign-in ends it', back, 'test/session/overtaken.test.ts'],
    ['BL-11', 'one that cannot be stored is 503', back],
    ['BL-12', 'a flood of them is limited, and costs one look at the keys in a cool-down', back, logoutToken],
  ],
  'the front channel': [
    ['FL-01', 'a frame of the idp’s page ends the session of its sid', front, 'test/browser/front-channel.test.ts'],
    ['FL-03', 'without a cookie of ours', front, 'test/browser/front-channel.test.ts'],
  ],
  'the return from the idp’s sign-out': [
    ['RL-01', 'a sign-out leads on to the idp’s own', 'test/flow/logout.test.ts'],
    ['RL-02', 'with another state, or none, it is the same page', 'test/flow/logout.test.ts'],
    ['RL-03', 'an idp that cannot, or is down, is said on the page', 'test/flow/logout.test.ts'],
    [
      'RL-04',
      'our own session is over before anybody is led anywhere',
      'test/flow/logout.test.ts',
      'test/flow/leave.test.ts',
    ],
  ],
  CAS: [
    ['CA-01', 'a ticket for another service, or of another sign-in, is denied', cas, casCallback],
    ['CA-02', 'whatever stands in a ticket stays one parameter', cas],
    ['CA-04', 'a ticket is sent to the server once', cas, casCallback],
    ['CA-08', 'tickets for proxies open nothing', cas, casAnswer],
    [
      'CA-09',
      'a server that is down, lies, or cannot prove its name is a page that says so',
      cas,
      'test/case/config/cas-server.yaml',
    ],
    ['CA-10', 'a ticket is in no address that stays; a site’s own is none of ours', cas, casCallback],
    ['CA-11', 'a logoutRequest ends the session of its ticket', cas, casCallback],
    ['CA-12', 'one that is no such thing has no effect, whatever its size', cas, casCallback],
    ['CA-13', 'one is worth what its ticket is worth, from wherever it comes', cas],
    ['CA-14', 'one that overtakes its sign-in ends it', cas],
    ['CA-15', 'nobody goes round in circles without a ticket', casCallback, silent],
  ],
  'what other sites make a browser do': [
    ['CS-01', 'nobody is signed in as the attacker', crossSite, casCallback],
    ['CS-02', 'nobody is signed out by a link or by another site’s form', crossSite],
    ['CS-03', 'no form of ours acts for another site', 'test/attack/forms.test.ts'],
    ['CS-04', 'nobody guesses an access code, from however many addresses', 'test/attack/code-guessing.test.ts'],
    ['CS-05', 'no page of ours stands in a frame of another site', crossSite],
  ],
  'what can be learnt': [
    [
      'TI-01',
      'from the time of an answer, nothing about a secret',
      'test/attack/access-codes.test.ts',
      'test/attack/timing.test.ts',
    ],
    ['LG-01', 'from log, metrics and events, no secret', 'test/attack/log.test.ts', 'test/attack/log-idps.test.ts'],
    ['LG-02', 'nobody writes lines into the log', 'test/attack/log.test.ts'],
  ],
}
