/** The portal: our own pages on our own host. Who stands behind its routes, and whom each of them knows. */
import { chosenClaims } from '../claims/chosen.ts'
import { createCallback } from '../login/callback.ts'
import { createChooseIdp } from '../login/choose-idp.ts'
import { createEmailDomains } from '../login/email-domains.ts'
import { createExpect } from '../login/expected.ts'
import { createFail } from '../login/failed.ts'
import { createHear } from '../login/hear.ts'
import { createHeardLogout } from '../login/heard-logout.ts'
import { createLeftSite } from '../login/left-site.ts'
import { createLogin } from '../login/login.ts'
import { createOffered } from '../login/offered.ts'
import { createOverLimit } from '../login/over-limit.ts'
import { createPrompt } from '../login/prompt.ts'
import { loginRoutes } from '../login/routes.ts'
import { createSilent } from '../login/silent.ts'
import { createBackChannel } from '../logout/back-channel.ts'
import { createEndFromIdp } from '../logout/from-idp.ts'
import { createFrontChannel } from '../logout/front-channel.ts'
import { createLogout } from '../logout/logout.ts'
import { createOneSite } from '../logout/one-site.ts'
import { fromIdpRoutes, logoutRoutes } from '../logout/routes.ts'
import type { LocatedUrl } from '../model/place.ts'
import type { Secret } from '../model/secret.ts'
import { icon } from '../pages/icon.ts'
import { languageOf } from '../pages/language.ts'
import { stylesheet } from '../pages/stylesheet.ts'
import { authorize, isLeft } from '../policy/authorize.ts'
import { createFront, portalRoutes } from '../portal/front.ts'
import { createListed } from '../portal/listed.ts'
import { choiceRoutes, createMyChoices } from '../portal/my-choices.ts'
import { createMySessions, sessionRoutes } from '../portal/my-sessions.ts'
import { createLocateLogout } from '../resource/locate-url.ts'
import { createPortalApp } from '../server/portal-app.ts'
import { choiceHandle } from '../session/choose.ts'
import { createHandles } from '../session/handles.ts'
import { createPageClient } from '../session/page-client.ts'
import { createPendingLogins } from '../session/pending.ts'
import { createRememberedChoice } from '../session/remembered-choice.ts'
import { createRememberedIdp } from '../session/remembered-idp.ts'
import { createKeys } from '../session/seal.ts'
import { createSeen } from '../session/seen.ts'
import { newSecret } from '../session/single-use.ts'
import type { Core } from './core.ts'

export function assemblePortalPlane(core: Core): ReturnType<typeof createPortalApp> {
  const { settings, resources, locateUrl, providers, sessions, singleUse, handoff, pages, report, random } = core
  const portal = core.portal.origin
  const now = core.wall
  const { admitWrite } = core.limits
  const pending = createPendingLogins(singleUse, now)
  const idpOf = (id: string) => settings.idps.find(idp => idp.id === id)
  const idpLabel = (id: string) => providers.get(id)?.label ?? null
  const helpOf = (id: string) => {
    const help = idpOf(id)?.help ?? null
    return help === null ? null : { label: help.label, url: help.url.href }
  }

  const rememberedIdp = createRememberedIdp(core.keys)
  const rememberedChoice = createRememberedChoice(core.keys)
  // On a computer that is not one's own, and for whoever wants to be forgotten, nothing stays.
  const forget = (cookies: string | null) => [...rememberedIdp.forget(cookies), ...rememberedChoice.forget(cookies)]
  const offered = createOffered(providers, id => {
    const one = idpOf(id)?.offered
    return one?.kind === 'unavailable' ? one.of : null
  })
  const chooseIdp = createChooseIdp({
    providers,
    offered,
    chooser: settings.chooser,
    sharedIdleMs: settings.session.sharedComputer.idleTimeout,
    remembered: { ...rememberedIdp, forget },
    choiceOf: id => idpOf(id)?.choice ?? null,
    emailDomains: createEmailDomains(settings.idps),
    helpOf,
    pages,
    now,
  })
  const hasChoice = (located: LocatedUrl | null) => chooseIdp.admittedAt(located).length > 1
  const fail = createFail({
    pages,
    locateUrl,
    hasChoice,
    standIn: chooseIdp.standIn,
    idpLabel,
    portalHost: core.portal.hostname,
  })

  const handles = createHandles(core.keys)
  const listed = createListed({ handles, idpLabel })
  const overLimit = createOverLimit({
    sessions,
    beyond: settings.session.perPerson?.beyond === 'refuse' ? 'refuse' : 'ask',
    listed,
    locateUrl,
    pages,
    fail,
    report,
  })
  const groupBy = settings.front?.groupBy ?? null
  const myChoices = createMyChoices({
    sessions,
    chosen: chosenClaims(settings.claims),
    handleOf: choiceHandle,
    remembered: rememberedChoice,
    keepsFor: chooseIdp.keepsFor,
    groupBy,
  })
  const silent = createSilent({ locateUrl, chooseIdp, now })
  const leftSite = createLeftSite({ sessions, isLeft, locateUrl, pages })
  const login = createLogin({
    portal,
    chooseIdp,
    sessions,
    handoff,
    pending,
    singleUse,
    locateUrl,
    fail,
    overLimit,
    silent,
    leftSite,
    admitWrite,
    report,
    now,
  })
  const endFromIdp = createEndFromIdp({
    sessions,
    seen: createSeen(core.store.once, core.keys, core.now),
    tellParticipants: core.tellParticipants,
    monotonic: core.monotonic,
    report,
  })
  const fromIdp = { providers, endFromIdp, report, now: core.now }
  const heardLogout = createHeardLogout({
    endFromIdp: notices => endFromIdp('callback', notices),
    admit: core.limits.admitLogoutRequest,
  })
  const expect = createExpect({ sessions, pending, fail, silent, report })
  const hear = createHear({
    portal,
    sessions,
    tellParticipants: core.tellParticipants,
    pending,
    singleUse,
    understand: core.understanding.identity,
    // Where the sign-in page asks, whoever came past the question by a link may sit at any computer (docs/sessions.md B 20).
    assumed: () => settings.session.assume ?? (chooseIdp.asksAboutComputers() ? 'shared' : 'own'),
    chosenBefore: myChoices.before,
    heardLogout,
    expect,
    fail,
    silent,
    report,
    now,
  })
  const callback = createCallback({ portal, providers, pending, singleUse, heardLogout, expect, hear })
  const prompt = createPrompt({ offered, expect, hear, locateUrl, hasChoice, pages, fail, admitWrite })
  const prompting = [...providers.values()].filter(provider => provider.prompt !== null)
  const logout = createLogout({
    providers,
    resources,
    sessions,
    closedSessions: core.closedSessions,
    leaveTokens: core.leaveTokens,
    tellParticipants: core.tellParticipants,
    pages,
    now,
  })
  const oneSite = createOneSite({
    resources,
    sessions,
    leaveTokens: core.leaveTokens,
    isLeft,
    locateLogout: createLocateLogout(core.locate),
    pages,
  })
  const mySessions = createMySessions({
    sessions,
    handles,
    listed,
    pages,
    tellParticipants: core.tellParticipants,
    signOut: logout.fromUser,
  })
  const front = createFront({
    resources,
    sessions,
    authorize,
    pages,
    groupBy,
    myChoices,
    idpLabel,
    accounts: chooseIdp.everywhere,
    memory: chooseIdp.memory,
  })
  return createPortalApp({
    routes: [
      ...portalRoutes(front),
      ...choiceRoutes(myChoices),
      ...sessionRoutes(mySessions),
      ...loginRoutes(login, callback, leftSite, prompt, prompting),
      ...logoutRoutes(logout, oneSite),
      ...fromIdpRoutes(createBackChannel(fromIdp), createFrontChannel(fromIdp)),
    ],
    origin: portal,
    pages,
    stylesheet,
    icon,
    keySet: core.assertionKeys.published,
    pageState: createPageClient(core.store.pages, core.keys, now),
    cookieSecrets: settings.session.secrets.map(pageCookieSecret),
    failurePage: core.failurePage,
    admitWrite,
    languageOf,
    newToken: () => newSecret(),
    random,
    report,
    now,
  })
}

/** express-session signs its cookie with a secret of its own, made of ours. */
function pageCookieSecret(secret: Secret): string {
  const keys = createKeys([secret])
  return keys.hmac('cookie', keys.first, 'express-session')?.toString('base64url') ?? ''
}
