/**
 * The drawings that stand inside pages: attributes and classes only, so that no style is inline. Colours and sizes: stylesheet.ts; what the
 * attributes say of them is for a page whose style sheet did not come, which else would be a black arch as wide as the window.
 */
import { type Html, html } from './escape.ts'

export const brandMark: Html = html`<svg viewBox="0 0 40 40" width="40" height="40" fill="none" stroke="currentColor" aria-hidden="true"><g stroke-width="1.6"><path d="M8 15v8M14 12v8M20 11v8M26 12v8M32 15v8"/></g><path class="rail" stroke-width="2.6" d="M3 18.6Q20 3.8 37 18.6"/><path stroke-width="2.6" d="M3 26.6Q20 11.8 37 26.6"/><path stroke-width="1.6" d="M9 31.5h9M22 31.5h9M15 35.5h10"/></svg>`

/** The lower edge of the header. */
export const arch: Html = html`<svg class="arch" viewBox="0 0 1000 30" width="1000" height="30" fill="none" preserveAspectRatio="none" aria-hidden="true"><path d="M0 0H1000V29Q500 -21 0 29Z"/><path d="M0 29Q500 -21 1000 29"/></svg>`

export const handrail: Html = html`<svg viewBox="0 0 32 20" width="32" height="20" fill="none" stroke="currentColor" aria-hidden="true"><path d="M2 15Q16 3 30 15M2 9Q16 -3 30 9M9 5.5v6M16 4v5.5M23 5.5v6"/></svg>`

export const tick: Html = html`<svg class="i" viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" aria-hidden="true"><circle cx="12" cy="12" r="10"/><path d="m7.5 12.5 3 3 6-6.5"/></svg>`

export const triangle: Html = html`<svg class="i" viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" aria-hidden="true"><path d="M12 3 1.8 20.5h20.4zM12 10v5M12 18h.01"/></svg>`

export const star: Html = html`<svg class="star" viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" aria-hidden="true"><path d="m12 2 3 6.6 7.2.8-5.4 4.9 1.5 7.1L12 17.8l-6.3 3.6 1.5-7.1L1.8 9.4 9 8.6z"/></svg> `

export const octagon: Html = html`<svg class="i" viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" aria-hidden="true"><path d="M8 2h8l6 6v8l-6 6H8l-6-6V8zM8.5 8.5l7 7M15.5 8.5l-7 7"/></svg>`

export const onward: Html = html`<svg class="i" viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" aria-hidden="true"><path d="m9 5 7 7-7 7"/></svg>`
