/**
 * The chat of the course site, over WebSocket. Who speaks is what the identity header of the handshake said; whatever a
 * message claims about itself is ignored. A visitor who closes the last window is not announced.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { visitorOf } from './legacy-site.ts'

export interface Chat {
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Sends everybody away (1001). */
  readonly close: () => void
}

interface Line {
  readonly who: string
  readonly text: string
}

export function createChat(): Chat {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 4_096 })
  const recent: Line[] = []

  const tell = (line: Line) => {
    recent.push(line)
    if (recent.length > 20) recent.shift()
    for (const socket of sockets.clients) send(socket, line)
  }
  const joined = (socket: WebSocket, who: string) => {
    for (const line of recent) send(socket, line)
    socket.on('error', () => {})
    socket.on('message', message => {
      const text = String(message).trim()
      if (text !== '') tell({ who, text })
    })
    tell({ who: '', text: `${who} est là · is here` })
  }

  return {
    upgrade: (request, socket, head) => {
      if (request.url?.split('?')[0] !== '/chat') {
        socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
        return
      }
      const who = visitorOf(request)?.name ?? 'Quelqu’un (no identity came)'
      sockets.handleUpgrade(request, socket, head, opened => joined(opened, who))
    },
    close: () => {
      for (const socket of sockets.clients) socket.close(1001)
    },
  }
}

function send(socket: WebSocket, line: Line): void {
  socket.send(JSON.stringify(line))
}
