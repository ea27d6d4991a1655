/** The second listener, for machines: /livez, /readyz, /metrics, open to whoever reaches it; and commands, which are not. */
import http from 'node:http'
import { type Commands, plainHeaders } from './commands.ts'

export interface OperationsParts {
  readonly metrics: () => Promise<string>
  /** Why no traffic should come now; empty: ready. */
  readonly obstacles: () => Promise<readonly string[]>
  readonly commands: Commands
}

export function createOperationsApp({ metrics, obstacles, commands }: OperationsParts): http.Server {
  const server = http.createServer(async (request, response) => {
    const answer = (status: number, text: string, type = 'text/plain; charset=utf-8') => {
      response.writeHead(status, { ...plainHeaders, 'Content-Type': type })
      response.end(request.method === 'HEAD' ? undefined : text)
    }
    try {
      if (commands.knows(request.url)) return await commands.answer(request, response)
      if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'GET and HEAD only\n')
      switch (request.url) {
        case '/livez':
          return answer(200, 'alive\n')
        case '/readyz': {
          const found = await obstacles()
          return found.length === 0 ? answer(200, 'ready\n') : answer(503, `${found.join('\n')}\n`)
        }
        case '/metrics':
          return answer(200, await metrics(), 'text/plain; version=0.0.4; charset=utf-8')
        default:
          return answer(404, '/livez, /readyz, /metrics\n')
      }
    } catch (error) {
      if (response.headersSent) return response.destroy()
      answer(500, `${error instanceof Error ? error.message : String(error)}\n`)
    }
  })
  server.requestTimeout = 10_000
  return server
}
