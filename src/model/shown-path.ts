/** A path as a line of the log may hold it. */

/**
 * Of a callback's address the last segment is the state of one sign-in (SESSIONS A2), which may still be under way: as secret as
 * the query, which the log never holds.
 */
export function shownPath(path: string): string {
  return path.startsWith('/callback/') ? path.replace(/^(\/callback\/[^/]*\/).+$/s, '$1****') : path
}
