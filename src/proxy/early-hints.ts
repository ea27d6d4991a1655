/**
 * The links of a 103 (RFC 8297), one by one, in a form that node takes without thinking. The expression by which node checks
 * them knows two readings of each `; name=value`, and tries all of them on a line that is wrong at its end: one short hint
 * of an origin, wrong on purpose, stops the process for longer than anybody waits. So what node gets is right.
 */

/**
 * RFC 8288 §3, in visible ASCII: to node a no-break space is a space. No two of its parts can begin alike, so it walks through a
 * line once, whatever the line is.
 */
const link =
  /[ \t]*(<[\x21\x23-\x3b\x3d\x3f-\x7e]*>(?:[ \t]*;[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:"[\x21\x23-\x3a\x3c-\x7e]*"|[\x21\x23-\x2b\x2d-\x3a\x3c-\x7e]+))?)*)[ \t]*(?:,|$)/y

/** @returns what can be passed on, up to the first that is no link as node reads them, of each line */
export function hintedLinks(headers: readonly string[]): string[] {
  const links: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    if ((headers[i] as string).toLowerCase() !== 'link') continue
    const line = headers[i + 1] as string
    link.lastIndex = 0
    for (let found = link.exec(line); found !== null; found = link.exec(line)) {
      links.push(found[1] as string)
      if (link.lastIndex === line.length) break
    }
  }
  return links
}
