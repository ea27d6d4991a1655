/**
 * An intranet that believes it lives at `/` and is mounted by the gateway under a path: links are relative, but redirects
 * name absolute paths and the cookie says Path=/. It also shows the headers that it was sent, for the curious.
 */
import type { ServerResponse } from 'node:http'
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

export interface IntranetOptions {
  /** 0, a free one, by default. */
  readonly port?: number
}

interface Booking {
  readonly room: string
  readonly when: string
  readonly by: string
}

const people = [
  { name: 'Alice Martin', office: 'Bâtiment des Saules, 214', phone: '31 14' },
  { name: 'Bruno Lefèvre', office: 'Salle des professeurs', phone: '31 27' },
  { name: 'Chloé Dubois', office: 'Bureau des visiteurs', phone: '31 99' },
  { name: 'Dmitri Aubert', office: 'Atelier, rez-de-chaussée', phone: '31 08' },
]

const rooms = ['Salle Garonne', 'Salle Loire', 'Salle Rhône']

export function startIntranet(options: IntranetOptions = {}): Promise<LegacySite> {
  const styles = asset('intranet.css')
  const bookings: Booking[] = []

  const answer = async (answering: Answering) => {
    const { request, response, url, visitor } = answering
    switch (url.pathname) {
      case '/':
        return sendHtml(response, home(visitor, countVisit(answering)))
      case '/intranet.css':
        return sendAsset(response, 'intranet.css', styles)
      case '/people':
        return sendHtml(response, directory(visitor, url.searchParams.get('q') ?? ''))
      case '/rooms/':
        if (request.method === 'POST') return book(answering)
        return sendHtml(response, roomsPage(visitor, bookings, url.searchParams.get('booked')))
      case '/whoami':
        return sendHtml(response, headersPage(visitor, request.rawHeaders))
      // Addresses of before the last reform, still printed on posters.
      case '/annuaire':
        return redirect(response, '/people')
      case '/salles':
        return redirect(response, '/rooms/')
      default:
        return sendHtml(response, page('Introuvable', visitor, '', '<p>Page introuvable · Not found</p>'), 404)
    }
  }

  async function book({ request, response, visitor }: Answering): Promise<void> {
    const form = await readForm(request)
    const booking = {
      room: form.get('room') ?? '',
      when: form.get('when') ?? '',
      by: visitor?.name ?? 'personne · nobody',
    }
    bookings.push(booking)
    if (bookings.length > 50) bookings.shift()
    redirect(response, `/rooms/?booked=${encodeURIComponent(booking.room)}`)
  }

  return startSite({ answer }, options.port ?? 0)
}

/** How often this browser has been here, by the site's own cookie. */
function countVisit({ request, response }: Answering): number {
  const visits = (Number(cookieOf(request, 'INTRAVISITS')) || 0) + 1
  response.setHeader('Set-Cookie', `INTRAVISITS=${visits}; Path=/`)
  return visits
}

function home(visitor: Visitor | null, visits: number): string {
  return page(
    'Intranet',
    visitor,
    '',
    `<p id="visits">Visite n° ${visits} de ce navigateur · Visit ${visits} of this browser</p>
    <ul class="menu">
      <li><a href="people">Annuaire · People</a></li>
      <li><a href="rooms/">Réserver une salle · Book a room</a></li>
      <li><a href="annuaire">L’ancienne adresse de l’annuaire · The old address of the directory</a> (redirige)</li>
      <li><a href="whoami">Ce que ce site reçoit · What this site is sent</a></li>
    </ul>`,
  )
}

function directory(visitor: Visitor | null, asked: string): string {
  const found = people.filter(({ name }) => name.toLowerCase().includes(asked.toLowerCase()))
  const rows = found.map(
    ({ name, office, phone }) =>
      `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(office)}</td><td>${phone}</td></tr>`,
  )
  return page(
    'Annuaire',
    visitor,
    '',
    `<form action="people"><label>Nom · Name <input name="q" value="${escapeHtml(asked)}"></label><button>Chercher · Search</button></form>
    <table><thead><tr><th>Nom</th><th>Bureau</th><th>Tél.</th></tr></thead><tbody>${rows.join('')}</tbody></table>`,
  )
}

function roomsPage(visitor: Visitor | null, bookings: readonly Booking[], booked: string | null): string {
  const choices = rooms.map(room => `<option>${room}</option>`)
  const rows = bookings.map(
    ({ room, when, by }) =>
      `<tr><th scope="row">${escapeHtml(room)}</th><td>${escapeHtml(when)}</td><td>${escapeHtml(by)}</td></tr>`,
  )
  return page(
    'Salles',
    visitor,
    '../',
    `${booked === null ? '' : `<p class="done" role="status">Réservée · Booked: ${escapeHtml(booked)}</p>`}
    <form method="post" action="./"><label>Salle · Room <select name="room">${choices.join('')}</select></label>
      <label>Quand · When <input name="when" value="demain 10 h"></label><button>Réserver · Book</button></form>
    <table><thead><tr><th>Salle</th><th>Quand</th><th>Par</th></tr></thead><tbody>${rows.join('')}</tbody></table>`,
  )
}

/** Cookies are named but not shown: the page may end up on a projector. */
function headersPage(visitor: Visitor | null, rawHeaders: readonly string[]): string {
  const rows = rawHeaders.flatMap((name, i) => {
    if (i % 2 === 1) return []
    const value = Buffer.from(rawHeaders[i + 1] ?? '', 'latin1').toString('utf8')
    const shown = name.toLowerCase() === 'cookie' ? value.replace(/=[^;]*/g, '=…') : value
    return [`<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(shown)}</td></tr>`]
  })
  return page('Ce que ce site reçoit', visitor, '', `<table id="headers"><tbody>${rows.join('')}</tbody></table>`)
}

/** @param up from this page to the site's root, as relative links need it: empty, or `../` */
function page(title: string, visitor: Visitor | null, up: string, body: string): string {
  const who =
    visitor === null
      ? 'Aucune identité n’est arrivée avec cette requête. No identity came with this request.'
      : `Bonjour, <strong>${escapeHtml(visitor.name)}</strong>`
  return `<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><title>${escapeHtml(title)} · Intranet</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"><link rel="stylesheet" href="${up}intranet.css"></head>
<body><header><a href="${up || './'}">Intranet</a><p id="reader">${who}</p></header>
<main><h1>${escapeHtml(title)}</h1>${body}</main></body></html>`
}

function redirect(response: ServerResponse, to: string): void {
  response.writeHead(302, { Location: to }).end()
}
