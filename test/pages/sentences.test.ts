import { describe, expect, it } from 'vitest'
import { languages } from '../../src/model/text.ts'
import { html } from '../../src/pages/escape.ts'
import type { About, Sentence } from '../../src/pages/sentence.ts'
import { sentences } from '../../src/pages/sentences.ts'
import { codes, everyPage } from './samples.ts'

const full: About = {
  subject: 'Cours en ligne',
  host: 'www.revue-inconnue.example',
  portal: 'acces.example.org',
  going: true,
  signedIn: true,
  now: html`20&nbsp;novembre&nbsp;2026`,
  wait: { length: html`15&nbsp;minutes`, until: html`9&nbsp;h&nbsp;27` },
}
const bare: About = { ...full, subject: null, host: null, going: false, signedIn: false, wait: null }

function linesOf(said: Sentence): readonly string[] {
  const { heading, items } = said.steps ?? { heading: null, items: [] }
  return [said.title, said.lead, heading, ...items, said.after ?? null].filter(line => line !== null).map(String)
}

const lines = languages.flatMap(language =>
  codes.flatMap(code =>
    [full, bare].flatMap(about => linesOf(sentences[code][language](about)).map(line => ({ code, language, line }))),
  ),
)

describe('the sentences of failures', () => {
  it('have a title without tags and a lead, whatever is known', () => {
    for (const code of codes)
      for (const language of languages)
        for (const about of [full, bare]) {
          const said = sentences[code][language](about)
          expect(String(said.title)).toMatch(/^[^<>]{8,}$/)
          expect(String(said.lead)).toMatch(/.{20,}[.]$/)
        }
  })

  it('speak of the site or the idp by its name, and without one in general words', () => {
    expect(String(sentences['origin.unreachable'].fr(full).title)).toBe('Cours en ligne ne répond pas')
    expect(String(sentences['origin.unreachable'].en(bare).title)).toBe('The site does not answer')
    expect(String(sentences['idp.unreachable'].fr({ ...full, subject: 'Compte Janus' }).title)).toBe(
      'Le service «&nbsp;Compte Janus&nbsp;» ne répond pas',
    )
    expect(String(sentences['idp.unreachable'].fr(bare).title)).toBe('Le service de connexion ne répond pas')
  })

  it('promise that the page is kept only where it is', () => {
    expect(String(sentences['idp.unreachable'].en(full).lead)).toContain('We have kept the page')
    expect(String(sentences['idp.unreachable'].en(bare).lead)).not.toContain('kept')
  })

  it('do not say that a session stays open where we know of none', () => {
    expect(String(sentences['origin.timeout'].fr(full).lead)).toContain('Votre session reste ouverte')
    expect(String(sentences['origin.timeout'].fr(bare).lead)).not.toContain('session')
  })

  it('never use our own words for things', () => {
    const ours = /\b(origin|upstream|claim|idp|HTTP|proxy|backend|Redis|CSRF|token|timeout|cache|store)\b/i
    expect(lines.filter(({ line }) => ours.test(line))).toEqual([])
  })

  it('are calm: no exclamation, no order, no excuse', () => {
    expect(lines.filter(({ line }) => /!|oups|oops|veuillez|please|désolé|sorry/i.test(line))).toEqual([])
  })
})

describe('French typography', () => {
  const french = everyPage()
    .filter(page => page.language === 'fr' && page.place === 'portal')
    .map(({ name, html }) => ({ name, text: html.replace(/<[^>]*>/g, '\n') }))
  const faults = (pattern: RegExp) =>
    french.flatMap(({ name, text }) => (text.match(pattern) ?? []).map(x => [name, x]))

  it('has no breaking space before a sign that wants one that does not break', () => {
    expect(faults(/.* [;!?:»].*/g)).toEqual([])
    expect(faults(/.*« .*/g)).toEqual([])
  })

  it('has a space before every such sign', () => {
    expect(faults(/.*[\p{L}\d][!?»].*/gu)).toEqual([])
  })

  it('has its own apostrophe', () => {
    expect(faults(/.*\p{L}(?:'|&#39;)\p{L}.*/gu)).toEqual([])
  })
})
