import { describe, expect, it } from 'vitest'
import { languages, textOf } from '../../src/model/text.ts'
import { icon } from '../../src/pages/icon.ts'
import { createPages } from '../../src/pages/pages.ts'
import { stylesheet } from '../../src/pages/stylesheet.ts'
import { evilAddresses, hostilePages } from './hostile.ts'
import {
  codes,
  context,
  courses,
  everyPage,
  failure,
  favouriteDomain,
  janus,
  labels,
  nature,
  nothingLeft,
  persons,
  plainSite,
  type Sample,
  site,
  strangers,
} from './samples.ts'

const pages = createPages(site, labels)
const all = [...everyPage(), ...everyPage(plainSite)]
const wrong = (bad: (html: string) => boolean, of: readonly Sample[] = all) =>
  of.filter(({ html }) => bad(html)).map(({ name, language, place }) => `${place} ${language} ${name}`)
const count = (html: string, pattern: RegExp) => html.match(pattern)?.length ?? 0

describe('every page, in both languages and at every place', () => {
  it('covers every failure', () => {
    expect(all.length).toBeGreaterThan(2 * 2 * 3 * codes.length)
  })

  it('has one h1 and one main', () => {
    expect(wrong(html => count(html, /<h1\b/g) !== 1 || count(html, /<main\b/g) !== 1)).toEqual([])
  })

  it('says its language and, before the name of the service, its state', () => {
    for (const { html, language } of everyPage()) {
      expect(html).toContain(`<html lang="${language}">`)
      expect(html).toMatch(new RegExp(`<title>[^<]{4,} – ${site.name[language]}</title>`))
    }
  })

  it('has no script, no inline style and nothing from elsewhere', () => {
    expect(wrong(html => /<script|<style|\sstyle=|\son\w+=|<img|<iframe|\ssrc=/i.test(html))).toEqual([])
    expect(wrong(html => count(html, /<link\b/g) > 2)).toEqual([])
    // None moves on by itself (WCAG 2.2.1); the one that may, to the idp, is told so by a header.
    expect(wrong(html => /http-equiv/i.test(html))).toEqual([])
  })

  it('is smaller than 20 KB', () => {
    expect(wrong(html => Buffer.byteLength(html) >= 20_000)).toEqual([])
    expect(Buffer.byteLength(stylesheet)).toBeLessThan(20_000)
  })

  it('has no identifier twice', () => {
    const ids = (html: string) => [...html.matchAll(/\sid="([^"]*)"/g)].map(match => match[1])
    expect(wrong(html => new Set(ids(html)).size !== ids(html).length)).toEqual([])
  })

  it('describes no field by a name that nothing has', () => {
    const told = (html: string) =>
      [...html.matchAll(/\saria-describedby="([^"]*)"/g)].flatMap(([, names = '']) => names.split(' '))
    expect(wrong(html => told(html).some(id => !html.includes(`id="${id}"`)))).toEqual([])
  })

  it('says under a field that was filled in wrongly that it was, and leads there from above', () => {
    for (const { html, name } of all.filter(({ html }) => html.includes('aria-invalid'))) {
      const [, id = '', described = ''] =
        /<input id="([^"]*)"[^>]* aria-describedby="([^"]*)"[^>]* aria-invalid/.exec(html) ?? []
      expect(described.split(' '), name).toContain(`${id}-error`)
      expect(html, name).toContain(`><span class="error" id="${id}-error">`)
      expect(html, name).toContain(`<a href="#${id}">`)
    }
  })

  it('leaves no value unwritten', () => {
    expect(wrong(html => /undefined|\[object|NaN|>null</.test(html))).toEqual([])
  })

  it('quotes the reference, unless it is a small page in a frame', () => {
    expect(wrong(html => !html.includes('7K2M4Q')).filter(name => !name.endsWith(' framed'))).toEqual([])
  })

  it('has its other language: a link where the page can be asked again, else folded below', () => {
    const portal = all.filter(({ place }) => place === 'portal')
    expect(wrong(html => html.includes('<details'), portal)).toEqual([])
    const rest = all.filter(({ place }) => place !== 'portal')
    expect(wrong(html => count(html, /<details class="other" lang="(fr|en)">/g) !== 1, rest)).toEqual([])
    for (const { html, language } of rest)
      expect(html).toContain(`<details class="other" lang="${language === 'fr' ? 'en' : 'fr'}">`)
  })
})

describe('a page on a resource’s host', () => {
  const onSite = all.filter(({ place }) => place === 'site')

  it('has no form and no icon (SESSIONS A1)', () => {
    expect(wrong(html => /<form|<button|<input|rel="icon"/.test(html), onSite)).toEqual([])
  })

  it('has no form even where one was asked for', () => {
    const post = { kind: 'post', action: '/logout', token: 't', does: 'close-both' } as const
    const html = pages.failure(context('fr', 'site'), failure('session.ambiguous', { button: post }))
    expect(html).not.toContain('<form')
    expect(html).toContain('class="btn" href="https://acces.example.org/"')
  })

  it('has the stylesheet of that host, and leads to the portal by its full address', () => {
    const html = pages.failure(context('en', 'site', { person: 'Anne' }), failure('origin.timeout'))
    expect(html).toContain('<link rel="stylesheet" href="/.passerelle/passerelle.css">')
    expect(html).toContain('<a href="https://acces.example.org/logout">Sign out</a>')
    expect(html).toContain('<a class="brand" href="https://acces.example.org/">')
  })
})

describe('a page on the portal', () => {
  it('has the portal’s stylesheet and icon', () => {
    const html = pages.failure(context('fr', 'portal'), failure('portal.not-found'))
    expect(html).toContain('<link rel="stylesheet" href="/passerelle.css">')
    expect(html).toContain('<link rel="icon" href="/passerelle.svg" type="image/svg+xml">')
  })

  it('switches the language by a link that keeps the rest of its address', () => {
    const here = '/login?to=https%3A%2F%2Fx.example%2F%3Fa%3Db%26c&lang=fr'
    const html = pages.front(context('fr', 'portal', { here }), strangers)
    expect(html).toContain(
      'href="/login?to=https%3A%2F%2Fx.example%2F%3Fa%3Db%26c&amp;lang=en" lang="en" hreflang="en">English<',
    )
    expect(pages.front(context('en', 'portal', { here: null }), strangers)).toContain(
      'href="?lang=fr" lang="fr" hreflang="fr">Français<',
    )
  })

  it('names the person, with a way to sign out', () => {
    const html = pages.front(context('fr', 'portal', { person: 'Anne Lefèvre' }), persons)
    expect(html).toContain('<bdi>Anne Lefèvre</bdi></span><a href="/logout">Se déconnecter</a>')
  })

  it('has the way to sign out also for a person whom nothing names', () => {
    const html = pages.front(context('en', 'portal', { person: '' }), persons)
    expect(html).toContain('<a href="/logout">Sign out</a>')
    expect(html).not.toMatch(/<bdi><\/bdi>|Hello/)
  })
})

describe('whatever comes from outside', () => {
  it.each(evilAddresses)('is text, or a harmless address, with %j', address => {
    const hostile = hostilePages(address)
    expect(wrong(html => /<svg onload|<script|\sonclick=|\u0000|[\ud800-\udfff]/.test(html), hostile)).toEqual([])
    expect(wrong(html => count(html, /<\/title>/g) !== 1 || count(html, /<\/main>/g) !== 1, hostile)).toEqual([])
    expect(wrong(html => /(?:href|action)="(?!https?:\/\/|mailto:|\/|#|\?)/.test(html), hostile)).toEqual([])
    expect(wrong(html => /(?:href|action)="[/\\]{2}/.test(html), hostile)).toEqual([])
    expect(wrong(html => Buffer.byteLength(html) >= 20_000, hostile)).toEqual([])
  })

  it('does not make a page long', () => {
    const long = textOf('é'.repeat(5_000))
    const html = pages.failure(
      context('fr', 'one-shot', { person: long.fr }),
      failure('resource.unknown-host', { subject: long, going: long, host: long.fr }),
    )
    expect(Buffer.byteLength(html)).toBeLessThan(20_000)
  })
})

describe('the page of a failure', () => {
  const fr = (code: (typeof codes)[number], more = {}) => pages.failure(context('fr', 'portal'), failure(code, more))

  it('is drawn as a bridge where a way is cut, to whatever is at its end', () => {
    expect(fr('origin.unreachable')).toContain('de Passerelle à Cours en ligne, il est coupé.')
    expect(fr('identity.unsendable')).toContain('class="cut"')
    expect(fr('idp.unreachable')).toContain('de Passerelle à Compte Janus, il est coupé.')
    expect(fr('session.store-down')).toContain('>Sessions</text>')
    expect(fr('policy.denied')).toContain('class="gate"')
    expect(fr('login.stale')).not.toContain('class="bridge"')
  })

  it('says that a form was on its way, only if so', () => {
    expect(fr('origin.timeout', { sent: true })).toContain('nous ne l’enverrons pas deux fois')
    expect(fr('origin.timeout', { sent: false })).not.toContain('formulaire')
  })

  it('always has a way out in words, and one full button', () => {
    for (const code of codes)
      for (const button of [null, failure(code).button]) {
        const html = fr(code, { button })
        expect(html).toContain('Accueil de Passerelle')
        expect(html).toContain('>Site de la bibliothèque</a>')
        expect(count(html, /class="btn"/g)).toBe(1)
      }
  })

  it('says when to try again', () => {
    expect(fr('session.store-down')).toContain('de préférence dans 5&nbsp;secondes')
  })

  it('shows an unknown host as text, and promises nothing about it', () => {
    const html = fr('resource.unknown-host')
    expect(html).toContain('<b class="mono"><bdi>www.revue-inconnue.example</bdi></b>')
    expect(html).not.toMatch(/href="[^"]*revue-inconnue/)
    expect(html).not.toMatch(/not[ée]e/)
  })

  it('names the hosts whose cookies are needed', () => {
    const named = (more: object) =>
      [...fr('login.cookies', more).matchAll(/<b class="mono">(.*?)<\/b>/g)].map(m => m[1])
    expect(named({ host: 'cours.example.org' })).toEqual(['acces.example.org', 'cours.example.org'])
    expect(named({ host: 'acces.example.org' })).toEqual(['acces.example.org'])
    expect(fr('login.cookies', { host: null })).toContain('</b> et du site où vous allez sont autorisés')
  })

  it('says whom to write to, and without a contact asks for nothing that cannot be done', () => {
    expect(fr('internal')).toContain('href="mailto:acces@example.org?subject=R%C3%A9f%C3%A9rence%207K2M4Q"')
    expect(fr('internal')).toContain('(réponse sous deux jours ouvrés)')
    const plain = createPages(plainSite).failure(context('fr', 'portal'), failure('internal'))
    expect(plain).toContain('demandez de l’aide à votre établissement en citant la référence <b>7K2M4Q</b>')
    expect(plain).not.toContain('mailto:')
  })

  it('can end both sessions by a form with its token', () => {
    const button = {
      kind: 'post',
      action: '/logout',
      token: 'T0K3N',
      does: 'close-both',
      fields: { all: '1' },
    } as const
    const html = pages.failure(context('en', 'one-shot'), failure('session.ambiguous', { button }))
    expect(html).toContain('<form method="post" action="/logout" autocomplete="off">')
    expect(html).toContain('<input type="hidden" name="token" value="T0K3N">')
    expect(html).toContain('<button class="btn">Close both and start again</button>')
  })
})

describe('the chooser', () => {
  const idps = [
    { id: 'down', label: janus, choice: janus, available: false, help: null },
    {
      id: 'up',
      label: textOf('Renater'),
      choice: textOf('Par Renater'),
      available: true,
      help: { label: textOf('Aide'), url: 'https://aide.example' },
    },
  ]
  const html = pages.chooser(context('fr', 'portal'), {
    going: nature,
    group: null,
    change: '/login?choose=1',
    idps,
    chosen: null,
    question: null,
    search: null,
    email: null,
    carried: { to: '/x', a: '1' },
    token: 'T',
  })

  it('is one form with a button for each idp, those that do not answer last and marked', () => {
    expect(count(html, /<form/g)).toBe(1)
    expect(html).toContain('<form method="post" action="/login"')
    expect([...html.matchAll(/<button name="idp" value="(\w+)">/g)].map(match => match[1])).toEqual(['up', 'down'])
    expect(html).toContain('<b>Par Renater</b>')
    expect(html.slice(html.indexOf('value="down"'))).toContain('Ne répond pas')
  })

  it('carries what it was given, and its token', () => {
    for (const [name, value] of Object.entries({ to: '/x', a: '1', token: 'T' }))
      expect(html).toContain(`<input type="hidden" name="${name}" value="${value}">`)
  })

  it('says where one is going', () => {
    expect(html).toContain('Vous allez vers <b>Nature</b>.')
  })
})

describe('signing out', () => {
  const c = context('fr', 'one-shot')

  it('is asked first, with what will close and a way to stay', () => {
    const html = pages.askLogout(context('fr', 'portal'), {
      visited: [nature, courses],
      idp: janus,
      token: 'T',
      cancel: '/',
    })
    expect(html).toContain('Nature et Cours en ligne, visités pendant cette session')
    expect(html).toContain('<form method="post" action="/logout"')
    expect(html).toContain('<a class="btn plain" href="/">Rester</a>')
  })

  it('leads on to the idp by a link', () => {
    const html = pages.closing(c, {
      idp: janus,
      next: 'https://janus.example.org/end?a=1&b=2',
      ...nothingLeft,
    })
    expect(html).toContain('<a class="btn" href="https://janus.example.org/end?a=1&amp;b=2">Fermer aussi')
    // WCAG 2.2.1: no page moves on by itself. The caller may say so in a header where nothing is lost by it.
    expect(html).not.toContain('http-equiv')
    expect(html).not.toContain('Ordinateur partagé')
  })

  it('says what was closed and what was not', () => {
    const closed = (outcome: 'closed' | 'not-closed' | 'unknown') =>
      pages.closed(c, {
        known: true,
        idp: { label: janus, outcome },
        closedSites: [nature],
        ...nothingLeft,
        again: '/login',
      })
    expect(closed('closed')).toContain('<b>Compte Janus</b>&nbsp;: connexion fermée dans ce navigateur')
    expect(closed('not-closed')).toContain('<b>Compte Janus</b>&nbsp;: la connexion y reste ouverte')
    expect(closed('unknown')).toContain('n’a pas confirmé')
    expect(closed('closed')).toContain('<b>Nature</b>&nbsp;: fermé<')
  })

  it('names each site that was not told, on the page between and on the last one, and does not call it closed', () => {
    const silent = { ...nothingLeft, silent: [courses] }
    const closing = pages.closing(c, { idp: janus, next: 'https://janus.example.org/end', ...silent })
    const closed = pages.closed(c, { known: true, idp: null, closedSites: [nature], ...silent, again: '/login' })
    for (const html of [closing, closed]) {
      expect(html).toContain(
        '<b>Cours en ligne</b>&nbsp;: le site n’a pas répondu. Plus personne ne peut y entrer par ici, mais sa propre session peut durer encore.',
      )
      expect(html).not.toContain('<b>Cours en ligne</b>&nbsp;: fermé')
    }
    const both = pages.closing(c, { idp: janus, next: '/', ...nothingLeft, silent: [courses, nature] })
    expect(both).toContain('<b>Cours en ligne et Nature</b>&nbsp;: ces sites n’ont pas répondu')
  })

  it('names the sites that it had no room to leave, and says what to do, on both pages and only then', () => {
    const remembered = { ...nothingLeft, remembered: [courses, nature] }
    const closing = pages.closing(c, { idp: janus, next: 'https://janus.example.org/end', ...remembered })
    const closed = pages.closed(c, { known: true, idp: null, closedSites: [nature], ...remembered, again: '/login' })
    for (const html of [closing, closed]) {
      expect(html).toContain(
        '<b>Cours en ligne et Nature</b>&nbsp;: vous avez visité tant de sites que le navigateur n’a pas encore oublié ce que vous y avez lu&nbsp;: le bouton Retour pourrait le montrer. Fermez toutes les fenêtres du navigateur.',
      )
    }
    expect(pages.closing(c, { idp: janus, next: '/', ...nothingLeft })).not.toContain('le bouton Retour')
  })

  it('has one hidden frame for each visited host, not again in the folded language', () => {
    const leave = ['https://cours.example.org/.passerelle/leave', 'https://nature.example.org:8443/.passerelle/leave']
    const once = context('fr', 'one-shot')
    const closing = pages.closing(once, { idp: janus, next: 'https://janus.example.org/end', ...nothingLeft, leave })
    const closed = pages.closed(once, { known: true, idp: null, closedSites: [], ...nothingLeft, leave, again: '/' })
    for (const html of [closing, closed]) {
      expect(html.match(/<iframe[^>]*>/g)).toEqual(leave.map(address => `<iframe hidden src="${address}">`))
      expect(html).toContain('<details class="other" lang="en">')
    }
  })

  it('does not say that something is closed where nothing is known', () => {
    const html = pages.closed(c, { known: false, idp: null, closedSites: [], ...nothingLeft, again: '/login' })
    expect(html).toContain('<h1>Aucune session connue ici</h1>')
    expect(html).not.toContain('Votre session est fermée')
    expect(html).not.toContain('Ce qui est fermé')
  })

  it('gives its advice for a shared computer first, and only there', () => {
    const html = (shared: boolean) =>
      pages.closed(c, { known: true, idp: null, closedSites: [], ...nothingLeft, shared, again: '/login' })
    expect(html(true).indexOf('Ordinateur partagé')).toBeLessThan(html(true).indexOf('Ce qui est fermé'))
    expect(html(true)).toContain('Ordinateur partagé')
    expect(html(false)).not.toContain('Ordinateur partagé')
  })

  it('counts the sites of a long day', () => {
    const closedSites = Array.from({ length: 500 }, (_, index) => textOf(`Site ${index}`))
    const html = pages.closed(c, { known: true, idp: null, closedSites, ...nothingLeft, again: '/login' })
    expect(html).toContain('Site 11 et 488&nbsp;autres')
    expect(Buffer.byteLength(html)).toBeLessThan(20_000)
  })
})

describe('the front page', () => {
  const atNature = { title: nature, href: 'https://nature.example.org/' }
  const atCourses = { title: courses, href: 'https://cours.example.org/' }
  const sites = [atNature, atCourses]

  it('offers to sign in, and does not judge sites for somebody unknown', () => {
    const html = pages.front(context('fr', 'portal'), { ...strangers, sites })
    expect(html).toContain('<a class="btn" href="/login">Se connecter</a>')
    expect(html).not.toContain('Fermés à ce compte')
  })

  it('puts the sites that this account opens first', () => {
    const html = pages.front(context('fr', 'portal', { person: 'Anne' }), {
      ...persons,
      open: [atCourses],
      closed: [atNature],
    })
    expect(html.indexOf('Cours en ligne')).toBeLessThan(html.indexOf('Fermés à ce compte'))
    expect(html.indexOf('Fermés à ce compte')).toBeLessThan(html.indexOf('Nature'))
    expect(html).not.toContain('Se connecter')
  })
})

describe('the front page, by domain', () => {
  const at = (name: string) => ({ title: textOf(name), href: `https://${name}.example.org/` })
  const two = [
    { value: 'INSB', sites: [at('Cell'), at('Both')] },
    { value: 'INEE', sites: [at('Both')] },
  ]
  const page = (of: typeof two, more = {}) =>
    pages.front(context('fr', 'portal', { person: 'Anne Lefèvre' }), {
      ...persons,
      groups: { claim: 'domain', of, unlisted: 0 },
      open: [at('Everyone')],
      ...more,
    })

  it('has the favourite first and marked, each value by its label, and what every account opens last', () => {
    const html = page(two)
    const headings = [...html.matchAll(/<h([23])>(.*?)<\/h[23]>/g)].map(([, level, text = '']) => [
      level,
      text.replace(/<[^>]*>/g, '').trim(),
    ])
    expect(headings).toEqual([
      ['2', 'Ce que votre compte ouvre'],
      ['3', 'INSB, sciences biologiques Favori'],
      ['3', 'INEE, écologie et environnement'],
      ['2', 'Autres sites ouverts à votre compte'],
      ['2', 'Ce que nous savons de vous'],
    ])
    expect(count(html, /class="star"/g)).toBe(1)
    expect(count(html, />Both</g)).toBe(2)
  })

  it('has no favourite where there is one value', () => {
    expect(page(two.slice(0, 1))).not.toMatch(/Favori|class="star"/)
  })

  it('shows what we were told of the person, and whom to tell that it is wrong', () => {
    const html = page(two)
    expect(html).toContain('<dt>Nom</dt><dd><bdi>Anne Lefèvre</bdi></dd>')
    expect(html).toContain('<dt>Domaines</dt><dd><b><bdi>INSB</bdi></b> (sciences biologiques)</dd>')
    expect(html).toContain('Écrire à acces@example.org')
    expect(page(two.slice(0, 1))).toContain('<dt>Domaine</dt>')
  })

  it('tells somebody without any value what that means, and what to do', () => {
    const html = page([])
    expect(html).toContain('Votre connexion a réussi, mais votre compte ne nous a transmis aucun domaine.')
    expect(html).toContain('écrivez à <a href="mailto:acces@example.org')
    expect(html).toContain('<b class="mono">7K2M4Q</b>')
    expect(html).not.toContain('Ce que votre compte ouvre')
    expect(
      createPages(plainSite).front(context('en', 'portal', { person: '' }), {
        ...persons,
        groups: { claim: 'constructor', of: [], unlisted: 0 },
      }),
    ).toContain('ask your institution for help')
  })

  it('has a form to choose the favourite, with what stands chosen and the labels of the values', () => {
    const html = page(two, { choices: favouriteDomain })
    expect(html).toContain('<h2>Mes domaines</h2>')
    expect(html).toContain('<form method="post" action="/choice" autocomplete="off">')
    expect(html).toContain('<fieldset><legend class="aside">Domaine favori</legend>')
    expect(html).toContain(
      '<label class="option"><input type="radio" name="choice" value="h-insb" checked><span><b><bdi>INSB</bdi></b><small>sciences biologiques</small></span></label>',
    )
    expect(count(html, /name="choice"/g)).toBe(2)
    expect(count(html, / checked/g)).toBe(1)
    expect(html).toContain('<button class="btn plain small">Changer de favori</button>')
    expect(html).toContain('Le favori s’affiche en premier.')
    expect(html).not.toContain('type="checkbox"')
  })

  it('says how long the choice holds, and asks whose computer it is only where nobody did', () => {
    const told = (memory: object) => page(two, { choices: { ...favouriteDomain, memory } })
    expect(told({ kind: 'kept' })).toContain('Ce navigateur s’en souvient pour vos prochaines connexions.')
    expect(told({ kind: 'not' })).toContain('Le choix vaut jusqu’à votre déconnexion.')
    const box = '<input type="checkbox" name="remember" value="yes"'
    expect(told({ kind: 'asked', kept: false })).toContain(`${box}><span><b>J’utilise mon propre ordinateur`)
    expect(told({ kind: 'asked', kept: true })).toContain(`${box} checked>`)
  })

  it('calls a choice as people know the values, by the labels of the claim itself before those of the other', () => {
    const own = { favourite: { INEE: textOf('mon écologie') }, domain: labels.values.domain ?? {} }
    const [choice] = favouriteDomain.of
    const card = (among: string, first = false) =>
      createPages(site, { idps: {}, values: own }).front(context('fr', 'portal', { person: 'Anne' }), {
        ...persons,
        choices: { ...favouriteDomain, of: choice === undefined ? [] : [{ ...choice, among, first }] },
      })
    expect(card('domain')).toMatch(/<small>sciences biologiques<\/small>[\s\S]*<small>mon écologie<\/small>/)
    expect(card('domain')).not.toContain('s’affiche en premier')
    expect(card('favourite')).toContain('Mes valeurs pour «&nbsp;<span class="mono">favourite</span>&nbsp;»')
    expect(card('email')).toContain('Adresse de courriel favorite')
    expect(card('constructor')).toContain('Mes valeurs pour')
  })

  it('says how many more there are', () => {
    expect(page(two, { groups: { claim: 'domain', of: two, unlisted: 280 } })).toContain('Et 280&nbsp;autres valeurs.')
  })
})

describe('the small page in a frame', () => {
  it('has one link, which opens a window of its own', () => {
    const html = pages.framed(context('fr', 'site'), { resource: courses, open: 'https://cours.example.org/a' })
    expect(html).toContain('href="https://cours.example.org/a" target="_blank" rel="noopener">')
    expect(html).not.toContain('<header>')
  })
})

describe('the stylesheet and the icon', () => {
  it('styles the classes that pages have, and no others', () => {
    const used = new Set(
      all.flatMap(({ html }) => [...html.matchAll(/class="([^"]*)"/g)].flatMap(m => m[1]?.split(' '))),
    )
    const rules = stylesheet.replace(/\/\*.*?\*\//gs, '').replace(/\{[^{}]*\}/g, '{}')
    const styled = new Set([...rules.matchAll(/\.([a-z][a-z-]*)/g)].map(match => match[1]))
    expect([...used].sort()).toEqual([...styled].sort())
  })

  it('fetch nothing', () => {
    expect(stylesheet).not.toMatch(/url\(|@import|@font-face/)
    expect(icon).not.toMatch(/href|url\(|<script/)
  })
})

it('speaks both languages about the same states', () => {
  const titles = (language: (typeof languages)[number]) =>
    codes.map(code => /<title>(.*?) – /.exec(pages.failure(context(language, 'site'), failure(code)))?.[1])
  const [fr, en] = languages.map(titles)
  expect(new Set(fr).size).toBe(codes.length)
  expect(new Set(en).size).toBe(codes.length)
})
