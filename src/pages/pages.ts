/**
 * Our own pages: functions from data to HTML, in French and English, with one stylesheet, no script and no inline
 * style. They decide nothing: status, headers and cookies are
 * the caller’s.
 */
import { type AccessCodeData, accessCodePage } from './access-code.ts'
import { type AsLastTimeData, asLastTimePage } from './as-last-time.ts'
import { type ChooseGroupData, chooseGroupPage } from './choose-group.ts'
import { type ChooserData, chooserPage } from './chooser.ts'
import { type FailureData, failurePage } from './failure.ts'
import { type FrontData, frontPage } from './front.ts'
import { type ChooseSessionData, chooseSessionPage, type MySessionsData, mySessionsPage } from './my-sessions.ts'
import { type FramedData, framedPage, type NotSentData, notSentPage } from './on-site.ts'
import { type AskSiteData, askSitePage, type SiteLeftData, siteLeftPage } from './one-site.ts'
import { type RefusedData, refusedPage } from './refused.ts'
import type { Labels } from './requirement.ts'
import {
  type AskLogoutData,
  askLogoutPage,
  type ClosedData,
  type ClosingData,
  closedPage,
  closingPage,
} from './sign-out.ts'
import type { PageContext, Site } from './site.ts'

export type { FailureData } from './failure.ts'
export type { ListedSession } from './my-sessions.ts'
export type { Labels } from './requirement.ts'
export type { PageContext, Site } from './site.ts'
export type { Button } from './ways-out.ts'

export interface Pages {
  /** Our front page: the sites, and which of them this account opens. */
  readonly front: (c: PageContext, d: FrontData) => string
  /** One form, POST /login: `idp` is the choice, `token` and what is carried are hidden fields. */
  readonly chooser: (c: PageContext, d: ChooserData) => string
  /** Who one is: links to the chooser of each group. */
  readonly chooseGroup: (c: PageContext, d: ChooseGroupData) => string
  /** What the browser remembers: one form, POST /login, and a way to change it. */
  readonly asLastTime: (c: PageContext, d: AsLastTimeData) => string
  /** One form, POST `action`: `code` is what was typed, with `token`. */
  readonly accessCode: (c: PageContext, d: AccessCodeData) => string
  /** One form, POST /logout, with `token`. */
  readonly askLogout: (c: PageContext, d: AskLogoutData) => string
  /** The caller may send a Refresh header; the page has the button. */
  readonly closing: (c: PageContext, d: ClosingData) => string
  readonly closed: (c: PageContext, d: ClosedData) => string
  /** Forms POST /sessions, with `token` and `end`. */
  readonly mySessions: (c: PageContext, d: MySessionsData) => string
  /** Forms POST /sessions, with `token`, `end` and what is carried; one POST /logout. */
  readonly chooseSession: (c: PageContext, d: ChooseSessionData) => string
  /** Two forms: POST `action` closes this site only, POST /logout everything. */
  readonly askSite: (c: PageContext, d: AskSiteData) => string
  /** One form, POST `action`: opens a site again that was left. */
  readonly siteLeft: (c: PageContext, d: SiteLeftData) => string
  readonly refused: (c: PageContext, d: RefusedData) => string
  /** A POST that came without a session. */
  readonly notSent: (c: PageContext, d: NotSentData) => string
  /** For a frame of another page: one link, which opens a new window. */
  readonly framed: (c: PageContext, d: FramedData) => string
  readonly failure: (c: PageContext, d: FailureData) => string
}

/** @param labels how people know the idps that a policy's rules may name, and the values of claims; those without one are shown as they are */
export function createPages(site: Site, labels: Labels = { idps: {}, values: {} }): Pages {
  return {
    front: (c, d) => frontPage(site, labels.values, c, d),
    chooser: (c, d) => chooserPage(site, c, d),
    chooseGroup: (c, d) => chooseGroupPage(site, c, d),
    asLastTime: (c, d) => asLastTimePage(site, c, d),
    accessCode: (c, d) => accessCodePage(site, c, d),
    askLogout: (c, d) => askLogoutPage(site, c, d),
    closing: (c, d) => closingPage(site, c, d),
    closed: (c, d) => closedPage(site, c, d),
    mySessions: (c, d) => mySessionsPage(site, c, d),
    chooseSession: (c, d) => chooseSessionPage(site, c, d),
    askSite: (c, d) => askSitePage(site, c, d),
    siteLeft: (c, d) => siteLeftPage(site, c, d),
    refused: (c, d) => refusedPage(site, labels, c, d),
    notSent: (c, d) => notSentPage(site, c, d),
    framed: (c, d) => framedPage(site, c, d),
    failure: (c, d) => failurePage(site, c, d),
  }
}
