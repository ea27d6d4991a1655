/** One site of a test's configuration, as an item of `resources`; `$PORT` and `$ORIGIN` are filled in by startTestGateway. */

export interface SiteOptions {
  /** YAML; the id unless said. */
  readonly title?: string
  /** Without scheme; the id as a host unless said. */
  readonly at?: string
  /** YAML. */
  readonly policy?: string
  /** Header to template. */
  readonly headers?: Readonly<Record<string, string>>
}

/** @param more further keys, each line one of them: `idps: [op]` */
export function aSite(id: string, more: readonly string[] = [], options: SiteOptions = {}): string {
  const {
    title = id,
    at = `${id}.localhost:$PORT`,
    policy = 'signed-in',
    headers = { 'X-Remote-User': '{subject}' },
  } = options
  const keys = [
    `title: ${title}`,
    `at: "http://${at}"`,
    'origin: "$ORIGIN"',
    `policy: ${policy}`,
    ...more,
    `identity: { headers: ${JSON.stringify(headers)} }`,
  ]
  return `\n  - id: ${id}${keys.map(key => `\n    ${key}`).join('')}`
}
