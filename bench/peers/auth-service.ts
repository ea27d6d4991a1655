/**
 * The service that nginx asks: is this cookie a session, and whose? A map in its memory, nothing else.
 *
 *   node auth-service.ts PORT SESSION SUBJECT
 */
import { createServer } from 'node:http'

const [port = '', session = '', subject = ''] = process.argv.slice(2)
const sessions = new Map([[session, { subject, expiresAt: Date.now() + 36_000_000 }]])

createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  const found = sessions.get(cookie(request.headers.cookie ?? '', 'session'))
  if (found === undefined || found.expiresAt < Date.now()) response.writeHead(401, { 'Content-Length': '0' })
  else response.writeHead(204, { 'X-Remote-User': found.subject })
  response.end()
}).listen(Number(port), '127.0.0.1')

function cookie(header: string, name: string): string {
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=')
    if (pair.slice(0, equals).trim() === name) return pair.slice(equals + 1)
  }
  return ''
}
