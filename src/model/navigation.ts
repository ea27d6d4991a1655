/**
 * What kind of request a browser made (SESSIONS A9, Fetch Metadata). Only a document navigation may begin a sign-in.
 */

export type Navigation = 'document' | 'frame' | 'prefetch' | 'other'

type HeaderOf = (
  name:
    | 'sec-fetch-mode'
    | 'sec-fetch-dest'
    | 'sec-purpose'
    | 'purpose'
    | 'accept'
    | 'origin'
    | 'x-requested-with'
    | 'upgrade',
) => string | undefined

const framed = new Set(['iframe', 'frame', 'embed', 'object'])

/** A POST can be a document navigation too: only the absence of Origin is asked of GET and HEAD alone. */
export function navigationOf(method: string, header: HeaderOf): Navigation {
  if (header('sec-purpose')?.includes('prefetch') || header('purpose') === 'prefetch') return 'prefetch'
  const mode = header('sec-fetch-mode')
  const dest = header('sec-fetch-dest')
  if (mode !== undefined || dest !== undefined) {
    if (mode !== undefined && mode !== 'navigate') return 'other'
    if (dest === 'document') return 'document'
    return dest !== undefined && framed.has(dest) ? 'frame' : 'other'
  }
  const plain =
    header('accept')?.includes('text/html') === true &&
    header('x-requested-with') === undefined &&
    header('upgrade') === undefined &&
    (header('origin') === undefined || (method !== 'GET' && method !== 'HEAD'))
  return plain ? 'document' : 'other'
}
