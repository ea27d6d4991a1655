/**
 * A scholarly journal as they were built around 2005: deep links with a query, figures, a download of 5 MB that can be
 * continued (Range), and the reader's name in the corner, taken from the headers.
 */
import type { ServerResponse } from 'node:http'
import { type Article, articles } from './articles.ts'
import {
  type Answering,
  asset,
  escapeHtml,
  type LegacySite,
  sendAsset,
  sendHtml,
  startSite,
  type Visitor,
} from './legacy-site.ts'
import { makePdf } from './pdf.ts'

export interface JournalOptions {
  /** 0, a free one, by default. */
  readonly port?: number
}

export function startJournal(options: JournalOptions = {}): Promise<LegacySite> {
  const styles = asset('journal.css')
  const pdfs = new Map(articles.map(article => [article.id, makePdf(article.title, pdfLines(article), 5_242_880)]))

  const answer = ({ request, response, url, visitor }: Answering) => {
    const [, folder = '', name = ''] = url.pathname.split('/')
    const article = articles.find(({ id }) => String(id) === name.replace(/\.(pdf|svg)$/, ''))
    if (url.pathname === '/') return sendHtml(response, contents(visitor))
    if (url.pathname === '/journal.css') return sendAsset(response, 'journal.css', styles)
    if (url.pathname === '/current') return redirect(response, '/article/12')
    if (article === undefined) return sendHtml(response, notFound(visitor), 404)
    if (folder === 'article') return sendHtml(response, articlePage(article, url.searchParams.get('view'), visitor))
    if (folder === 'figure') return sendAsset(response, 'figure.svg', figure(article))
    if (folder === 'pdf') return sendPdf(request, response, article, pdfs.get(article.id) ?? Buffer.alloc(0))
    return sendHtml(response, notFound(visitor), 404)
  }
  return startSite({ answer }, options.port ?? 0)
}

function contents(visitor: Visitor | null): string {
  const items = articles.map(
    article => `<li><h2 lang="${article.language}"><a href="/article/${article.id}">${escapeHtml(article.title)}</a></h2>
      <p class="by">${escapeHtml(article.authors)} · p. ${article.pages} ·
      <a href="/pdf/${article.id}.pdf">PDF (5 MB)</a></p></li>`,
  )
  return page('Journal of River Crossings', visitor, `<h1>Volume 31, no. 4</h1><ol class="toc">${items.join('')}</ol>`)
}

function articlePage(article: Article, view: string | null, visitor: Visitor | null): string {
  const full = view === 'full'
  const deep = `/article/${article.id}?view=full`
  const links = article.sections.map(({ anchor, title }) => `<a href="${deep}#${anchor}">${escapeHtml(title)}</a>`)
  const text = article.sections.map(
    ({ anchor, title, paragraphs }) => `<section id="${anchor}"><h2>${escapeHtml(title)}</h2>
      ${paragraphs.map(paragraph => `<p>${escapeHtml(paragraph)}</p>`).join('')}</section>`,
  )
  const body = `
    <article lang="${article.language}">
      <p class="by">Journal of River Crossings 31 (4), p. ${article.pages}</p>
      <h1>${escapeHtml(article.title)}</h1>
      <p class="by">${escapeHtml(article.authors)}</p>
      <p class="views">${full ? `<a href="/article/${article.id}">Abstract · Résumé</a>` : `<a href="${deep}">Full text · Texte intégral</a>`}
        · <a href="/pdf/${article.id}.pdf">PDF (5 MB)</a></p>
      <p class="abstract">${escapeHtml(article.abstract)}</p>
      <nav aria-label="Sections">${links.join(' · ')}</nav>
      ${full ? text.join('') : ''}
      <figure><img src="/figure/${article.id}.svg" alt="" width="420" height="160">
        <figcaption>${escapeHtml(article.figure.caption)}</figcaption></figure>
    </article>`
  return page(article.title, visitor, body)
}

function notFound(visitor: Visitor | null): string {
  return page(
    'Not found',
    visitor,
    '<h1>No such article · Article introuvable</h1><p><a href="/">Contents · Sommaire</a></p>',
  )
}

function page(title: string, visitor: Visitor | null, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"><link rel="stylesheet" href="/journal.css"></head>
<body><header><a href="/">Journal of River Crossings</a><span>Revue des passages</span></header>
<p class="reader" id="reader">${reader(visitor)}</p><main>${body}</main>
<footer>ISSN 0000-0000 · Subscribers only · Réservé aux abonnés</footer></body></html>`
}

function reader(visitor: Visitor | null): string {
  if (visitor !== null) return `Reader: <strong>${escapeHtml(visitor.name)}</strong>`
  return 'No identity came with this request. Aucune identité n’est arrivée avec cette requête.'
}

function figure({ figure: { columns } }: Article): string {
  const bars = columns.map(
    (height, i) =>
      `<rect x="${20 + i * 50}" y="${150 - height * 1.3}" width="34" height="${height * 1.3}" fill="#7a2e1d"/>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="420" height="160" viewBox="0 0 420 160">
<path d="M10 5V150H412" fill="none" stroke="#444"/>${bars.join('')}</svg>`
}

function pdfLines(article: Article): string[] {
  const text = [
    article.authors,
    article.abstract,
    ...article.sections.flatMap(section => ['', section.title, ...section.paragraphs]),
  ]
  // The PDF's font has the letters of WinAnsi only.
  return text.flatMap(paragraph => wrapped(paragraph.replaceAll('’', "'").replaceAll('ễ', 'e'), 84))
}

function wrapped(text: string, width: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    if (line.length + word.length >= width) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines
}

/** One range at a time (RFC 9110 §14); several, or an If-Range that does not match, get the whole file. */
function sendPdf(request: Answering['request'], response: ServerResponse, article: Article, pdf: Buffer): void {
  const etag = `"article-${article.id}-${pdf.length}"`
  const headers = {
    'Content-Type': 'application/pdf',
    'Content-Disposition': `inline; filename="crossings-31-4-${article.id}.pdf"`,
    'Accept-Ranges': 'bytes',
    ETag: etag,
  }
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, headers).end()
    return
  }
  const ifRange = request.headers['if-range']
  const asked = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '')
  if (asked === null || asked[0] === 'bytes=-' || (ifRange !== undefined && ifRange !== etag)) {
    response.writeHead(200, { ...headers, 'Content-Length': pdf.length })
    response.end(pdf)
    return
  }
  const [, first = '', last = ''] = asked
  const from = first === '' ? Math.max(0, pdf.length - Number(last)) : Number(first)
  const to = first === '' || last === '' ? pdf.length : Math.min(pdf.length, Number(last) + 1)
  if (from >= to) {
    response.writeHead(416, { ...headers, 'Content-Range': `bytes */${pdf.length}` }).end()
    return
  }
  response.writeHead(206, {
    ...headers,
    'Content-Range': `bytes ${from}-${to - 1}/${pdf.length}`,
    'Content-Length': to - from,
  })
  response.end(pdf.subarray(from, to))
}

function redirect(response: ServerResponse, to: string): void {
  response.writeHead(302, { Location: to }).end()
}
