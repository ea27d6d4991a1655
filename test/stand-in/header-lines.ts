/**
 * Header lines as they stood on the wire: order, spelling and doubles kept. Tests about identity headers look at lines,
 * because a merged view hides exactly the line that an attacker added.
 */
export class HeaderLines {
  /** Flat, as node gives it: name, value, name, value… Values are latin1: one character is one byte. */
  readonly rawHeaders: readonly string[]

  constructor(rawHeaders: readonly string[]) {
    this.rawHeaders = rawHeaders
  }

  /** The first line of this name, in any spelling of its letters; null: none. */
  header(name: string): string | null {
    return this.headers(name)[0] ?? null
  }

  /** Every line of this name, in order. */
  headers(name: string): string[] {
    const wanted = name.toLowerCase()
    return this.rawHeaders.filter((_, i) => i % 2 === 1 && this.rawHeaders[i - 1]?.toLowerCase() === wanted)
  }

  /** Every name as it was spelled, in order, doubles included. */
  headerNames(): string[] {
    return this.rawHeaders.filter((_, i) => i % 2 === 0)
  }
}
