/**
 * A school's course site: its own session cookie (COURSESSID, Path=/), homework handed in by a form that is answered with
 * a redirect, a notice board that moves by itself (event stream), a chat (WebSocket), and a logout link of its own.
 */
import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { createChat } from './chat.ts'
import {
  type Answering,
  asset,
  cookieOf,
  escapeHtml,
  type LegacySite,
  readForm,
  sendAsset,
  sendHtml,
  startSite,
  type Visitor,
} from './legacy-site.ts'

export interface CoursesOptions {
  /** 0, a free one, by default. */
  readonly port?: number
  /** Between two notices, in ms; 3,000 by default. */
  readonly noticeMs?: number
}

interface Homework {
  readonly title: string
  readonly by: string
  readonly characters: number
}

const notices = [
  'Salle B12 : le cours de géographie est avancé à 10 h.',
  'The library closes at 5 pm today.',
  'Cantine : gratin de courges.',
  'Sports: the rowing group meets at the footbridge.',
  'Conseil de classe jeudi à 17 h 30.',
]

export async function startCourses(options: CoursesOptions = {}): Promise<LegacySite> {
  const files = new Map(['courses.css', 'chat.js', 'notices.js'].map(name => [`/${name}`, asset(name)]))
  const chat = createChat()
  const homeworks = new Map<string, Homework[]>()
  const boards = new Set<ServerResponse>()
  let notice = 0
  const timer = setInterval(() => {
    notice += 1
    for (const board of boards) pin(board, notice)
  }, options.noticeMs ?? 3_000)

  const answer = async (answering: Answering) => {
    const { request, response, url, visitor } = answering
    const file = files.get(url.pathname)
    if (file !== undefined) return sendAsset(response, url.pathname, file)
    const session = sessionOf(answering)
    switch (url.pathname) {
      case '/':
        return sendHtml(response, home(visitor, homeworks.get(session) ?? []))
      case '/notices':
        return follow(response)
      case '/chat':
        return sendHtml(response, chatPage(visitor))
      case '/quitter':
        homeworks.delete(session)
        response.setHeader('Set-Cookie', 'COURSESSID=; Max-Age=0; Path=/')
        return void response.writeHead(302, { Location: '/' }).end()
      case '/homework':
        if (request.method === 'POST') return handIn(answering, session)
        return sendHtml(response, homeworkPage(visitor, homeworks.get(session) ?? [], url.searchParams.has('thanks')))
      default:
        return sendHtml(response, page('Introuvable', visitor, '<p>Page introuvable · Not found</p>'), 404)
    }
  }

  function follow(response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    pin(response, notice)
    boards.add(response)
    response.on('close', () => boards.delete(response))
  }

  async function handIn({ request, response, visitor }: Answering, session: string): Promise<void> {
    const form = await readForm(request)
    const title = form.get('title')?.trim() || 'Sans titre'
    const homework = { title, by: visitor?.name ?? 'personne · nobody', characters: form.get('text')?.length ?? 0 }
    homeworks.set(session, [...(homeworks.get(session) ?? []), homework])
    response.writeHead(303, { Location: '/homework?thanks=1' }).end()
  }

  return startSite(
    {
      answer,
      upgrade: chat.upgrade,
      stopping: () => {
        clearInterval(timer)
        chat.close()
      },
    },
    options.port ?? 0,
  )
}

function pin(response: ServerResponse, number: number): void {
  response.write(`id: ${number}\ndata: ${notices[number % notices.length]}\n\n`)
}

/** The site's own session, older than any gateway: made at the first visit, kept until the browser closes. */
function sessionOf({ request, response }: Answering): string {
  const known = cookieOf(request, 'COURSESSID')
  if (known !== null) return known
  const made = randomBytes(12).toString('hex')
  response.setHeader('Set-Cookie', `COURSESSID=${made}; Path=/; HttpOnly`)
  return made
}

function home(visitor: Visitor | null, homeworks: readonly Homework[]): string {
  return page(
    'Cours en ligne',
    visitor,
    `<section><h2>Tableau d’affichage · Notice board</h2><p id="notice" role="status">…</p></section>
    <section><h2>Mes cours · My courses</h2>
      <ul><li>Géographie des rivières</li><li>English: telling a story</li><li>Mathématiques appliquées</li></ul></section>
    <section><h2>Devoirs · Homework</h2>${homeworkList(homeworks)}<p><a href="/homework">Rendre un devoir · Hand in</a></p></section>
    <section><h2>Discussion · Chat</h2><p><a href="/chat">Entrer · Enter</a></p></section>
    <script src="/notices.js"></script>`,
  )
}

function homeworkPage(visitor: Visitor | null, homeworks: readonly Homework[], thanks: boolean): string {
  return page(
    'Devoirs',
    visitor,
    `${thanks ? '<p class="thanks" role="status">Devoir reçu, merci. · Received, thank you.</p>' : ''}
    <form method="post" action="/homework">
      <label>Titre · Title <input name="title" required></label>
      <label>Texte · Text <textarea name="text" rows="6"></textarea></label>
      <button>Rendre · Hand in</button>
    </form>
    <h2>Rendus · Handed in</h2>${homeworkList(homeworks)}`,
  )
}

function homeworkList(homeworks: readonly Homework[]): string {
  if (homeworks.length === 0) return '<p>Aucun pour l’instant · None yet</p>'
  const items = homeworks.map(
    ({ title, by, characters }) => `<li>${escapeHtml(title)} (${escapeHtml(by)}, ${characters} signes)</li>`,
  )
  return `<ul id="handed-in">${items.join('')}</ul>`
}

function chatPage(visitor: Visitor | null): string {
  return page(
    'Discussion',
    visitor,
    `<p id="state" role="status">Connexion… · Connecting…</p>
    <ol id="lines" aria-live="polite"></ol>
    <form id="say"><label>Message <input name="text" autocomplete="off" maxlength="400"></label>
      <button disabled>Envoyer · Send</button></form>
    <script src="/chat.js"></script>`,
  )
}

function page(title: string, visitor: Visitor | null, body: string): string {
  const who =
    visitor === null
      ? 'Aucune identité n’est arrivée avec cette requête. No identity came with this request.'
      : `<strong>${escapeHtml(visitor.name)}</strong>${visitor.profiles.length === 0 ? '' : ` (${escapeHtml(visitor.profiles.join(', '))})`}`
  return `<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><title>${escapeHtml(title)} · Lycée des Deux-Rives</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"><link rel="stylesheet" href="/courses.css"></head>
<body><header><a href="/">Lycée des Deux-Rives</a><nav><a href="/homework">Devoirs</a> <a href="/chat">Discussion</a> <a href="/quitter">Quitter</a></nav>
<p id="reader">${who}</p></header><main><h1>${escapeHtml(title)}</h1>${body}</main></body></html>`
}
