/** http-proxy has no types of its own: here is what textbook-gateway.ts uses of it. */
declare module 'http-proxy' {
  import type { Agent, IncomingMessage, ServerResponse } from 'node:http'

  interface ProxyServer {
    web(request: IncomingMessage, response: ServerResponse, options: object, failed: (error: Error) => void): void
  }

  const httpProxy: {
    createProxyServer(options: { readonly target: string; readonly agent: Agent; readonly xfwd: boolean }): ProxyServer
  }
  export default httpProxy
}
