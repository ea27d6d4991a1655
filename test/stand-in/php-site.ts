/**
 * A site with a session of its own, as PHP makes them: PHPSESSID in a cookie, a number of visits in the session, and a logout
 * link that destroys it. It believes that it lives at `/`. Everything else answers by the ready-made paths.
 */
import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { OriginHandler } from './origin.ts'
import { answerPath } from './origin-paths.ts'

export interface PhpSite {
  readonly handler: OriginHandler
  /** Ids of the sessions that it holds. */
  readonly sessions: () => readonly string[]
  /** How the next logouts are answered, once the session is destroyed. Null: with a redirect to the front page. */
  logoutAnswer: ((response: ServerResponse) => void) | null
}

export function phpSite(): PhpSite {
  const sessions = new Map<string, { visits: number }>()
  const site: PhpSite = {
    logoutAnswer: null,
    sessions: () => [...sessions.keys()],
    handler(request, response, recorded) {
      const [path = ''] = (request.url ?? '').split('?', 1)
      const sent = /(?:^|;\s*)PHPSESSID=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1] ?? ''
      if (path === '/logout.php' || path.startsWith('/logout.php/')) {
        // As PHP does: the form is read before anything is done.
        request.on('end', () => {
          sessions.delete(sent)
          response.setHeader('Set-Cookie', ['PHPSESSID=deleted; Max-Age=0; Path=/', 'bye=1; Path=/'])
          if (site.logoutAnswer === null) response.writeHead(302, { Location: '/' }).end()
          else site.logoutAnswer(response)
        })
        request.resume()
        return
      }
      if (path !== '/') return answerPath(request, response, recorded)
      const id = sessions.has(sent) ? sent : randomBytes(16).toString('base64url')
      const session = sessions.get(id) ?? { visits: 0 }
      session.visits++
      sessions.set(id, session)
      response.writeHead(200, {
        'Content-Type': 'text/html; charset=utf-8',
        ...(id === sent ? {} : { 'Set-Cookie': `PHPSESSID=${id}; Path=/; HttpOnly` }),
      })
      response.end(`<!doctype html><title>The site</title><p>visit ${session.visits}</p>
<a href="logout.php?sesskey=abc">Log out</a>
<form method="post" action="logout.php"><input type="hidden" name="sesskey" value="abc"><button>Leave</button></form>`)
    },
  }
  return site
}
