/** The icon of our own pages, served as /passerelle.svg. A file by itself, so its style is inside it. */

export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40" role="img" aria-label="Passerelle"><style>svg{fill:none;stroke:#12262c;stroke-linecap:round}.rail{stroke:#b5560c}@media(prefers-color-scheme:dark){svg{stroke:#e7eff0}.rail{stroke:#f0a15c}}</style><g stroke-width="1.6"><path d="M8 15v8M14 12v8M20 11v8M26 12v8M32 15v8"/></g><path class="rail" stroke-width="2.6" d="M3 18.6Q20 3.8 37 18.6"/><path stroke-width="2.6" d="M3 26.6Q20 11.8 37 26.6"/><path stroke-width="1.6" d="M9 31.5h9M22 31.5h9M15 35.5h10"/></svg>
`
