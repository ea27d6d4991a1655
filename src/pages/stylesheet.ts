/**
 * The one stylesheet of our own pages: served as /passerelle.css on the portal and as /.passerelle/passerelle.css on
 * every host. It needs no font, image or script beside it. Contrast of each token on its ground is at least
 * 4.5 for text and 3 for edges and shapes, in light and in dark.
 */

/** On every host that leads here, whether or not it has a site: pages of failure are the same everywhere. */
export const stylesheetPath = '/.passerelle/passerelle.css'

export const stylesheet = `/* Passerelle. Order: tokens, ground, deck, text, forms, buttons, lists, notices, foot, narrow to wide, forced colours, print. */

/* ---- tokens ---- */
:root {
  color-scheme: light dark;
  --page: #eff4f4; --surface: #fff;
  --ink: #12262c; --soft: #47595f; --line: #c8d4d6; --edge: #61777d;
  --accent: #0b5767; --accent-deep: #073f4b; --on-accent: #fff; --tint: #e1eef0;
  --rail: #b5560c;
  --ok: #17643a; --warn: #7a4b00; --warn-tint: #fcf2df; --stop: #9c241b;
  --focus: #12262c;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif;
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, P052, "Book Antiqua", Georgia, "Noto Serif", serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Consolas, "DejaVu Sans Mono", monospace;
  --r: .5rem; --r-small: .3rem;
  --s1: .25rem; --s2: .5rem; --s3: .75rem; --s4: 1rem; --s5: 1.5rem; --s6: 2rem; --s7: 3rem;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0d181c; --surface: #15242a;
    --ink: #e7eff0; --soft: #adbfc4; --line: #30454c; --edge: #7f969d;
    --accent: #86d3df; --accent-deep: #b3e6ee; --on-accent: #06222a; --tint: #1b343c;
    --rail: #f0a15c;
    --ok: #86d6a4; --warn: #f2c06b; --warn-tint: #312612; --stop: #ffaba1;
    --focus: #fff;
  }
}
@media (prefers-contrast: more) { :root { --line: var(--edge); --soft: var(--ink) } }

/* ---- ground ---- */
*, ::before, ::after { box-sizing: border-box }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100% }
body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; background: var(--page); color: var(--ink);
  font: 1.0625rem/1.6 var(--sans); overflow-wrap: anywhere }
main { flex: 1 0 auto; width: 100%; max-width: 40rem; margin: 0 auto; padding: var(--s5) var(--s4) var(--s7) }
a { color: var(--accent); text-underline-offset: .18em; text-decoration-thickness: .07em }
a:hover { color: var(--accent-deep); text-decoration-thickness: .14em }
:focus-visible { outline: .1875rem solid var(--focus); outline-offset: .1875rem; border-radius: var(--r-small) }
main:focus { outline: none }
.skip { position: absolute; left: var(--s4); top: -6rem; z-index: 1; padding: var(--s2) var(--s4); background: var(--surface); color: var(--ink) }
.aside { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
.skip:focus { top: var(--s2) }
svg { display: block; max-width: 100% }
.i { flex: none; width: 1.5rem; height: 1.5rem; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round }

/* ---- deck: the header is the deck of the bridge, its lower edge the arch ---- */
.deck-in { background: var(--surface) }
.deck-in > div { display: flex; flex-wrap: wrap; align-items: center; gap: var(--s1) var(--s4); max-width: 74rem; margin: 0 auto; padding: var(--s3) var(--s4) var(--s1) }
.brand { display: flex; align-items: center; gap: var(--s3); margin-right: auto; color: var(--ink); text-decoration: none; line-height: 1.2 }
.brand:hover { color: var(--ink) }
.brand svg { flex: none; width: 2.75rem; height: 2.75rem; fill: none; stroke: currentColor; stroke-linecap: round }
.brand b { display: block; font: 1.3rem/1.15 var(--serif); letter-spacing: .01em }
.brand small { font-size: .875rem; color: var(--soft) }
.rail { stroke: var(--rail) }
.tools { display: flex; flex-wrap: wrap; align-items: center; gap: 0 var(--s4); font-size: .9375rem }
.tools a { display: inline-flex; align-items: center; min-height: 2.75rem }
.tools span { color: var(--soft) }
.arch { width: 100%; height: clamp(.75rem, 2.4vw, 2rem) }
.arch path:first-child { fill: var(--surface); stroke: none }
.arch path + path { fill: none; stroke: var(--line); stroke-width: 1.5; vector-effect: non-scaling-stroke }
.tabs { display: flex; flex-wrap: wrap; gap: 0 var(--s5); margin: 0 0 var(--s5); padding: 0; list-style: none; border-bottom: 1px solid var(--line) }
.tabs li { margin: 0 }
.tabs a { display: inline-flex; align-items: center; min-height: 2.75rem; border-bottom: .1875rem solid transparent; text-decoration: none }
.tabs a:hover { border-color: var(--edge) }
.tabs [aria-current] { border-color: var(--accent); color: var(--ink); font-weight: 600 }

/* ---- text ---- */
h1, h2 { font-family: var(--serif); font-weight: 400; text-wrap: balance }
h1 { margin: 0 0 var(--s4); font-size: clamp(1.75rem, 1.35rem + 1.8vw, 2.375rem); line-height: 1.18; letter-spacing: -.005em }
h2 { margin: var(--s6) 0 var(--s3); font-size: 1.375rem; line-height: 1.3 }
h3 { margin: var(--s5) 0 var(--s2); font-size: 1.0625rem; line-height: 1.4 }
:is(h2, h3):first-child { margin-top: 0 }
p, ul, ol, dl { margin: 0 0 var(--s4) }
p, li, dd { text-wrap: pretty }
ul, ol { padding-left: 1.4rem }
:is(.card, li, dd) > :last-child { margin-bottom: 0 }
li + li { margin-top: var(--s2) }
.lead { margin-bottom: var(--s5); font-size: 1.1875rem; line-height: 1.5 }
.soft, small, .hint { color: var(--soft) }
small, .hint { font-size: .9375rem; line-height: 1.45 }
.mono { font-family: var(--mono); font-size: .95em }
.card { margin: 0 0 var(--s5); padding: var(--s5) var(--s4); border: 1px solid var(--line); border-radius: var(--r); background: var(--surface) }
.whither { display: flex; gap: var(--s3); align-items: center; margin: 0 0 var(--s5); padding: var(--s3) 0; border-block: 1px solid var(--line); line-height: 1.4 }
.whither svg { flex: none; width: 2rem; height: 1.25rem; fill: none; stroke: var(--accent); stroke-width: 2; stroke-linecap: round }
.facts { display: grid; gap: var(--s1) var(--s5) }
.facts dt { color: var(--soft); font-size: .9375rem }
.facts dd { margin: 0 0 var(--s2) }
.facts dd + dt { margin-top: var(--s2) }
.card > .facts:last-child dd:last-child { margin-bottom: 0 }
.ref { margin: var(--s6) 0 0; padding-top: var(--s4); border-top: 1px solid var(--line); color: var(--soft); font-size: .9375rem }
.ref b { color: var(--ink); font-family: var(--mono); font-size: 1.125rem; letter-spacing: .08em; user-select: all }
.bridge { margin: 0 0 var(--s5) }
.bridge svg { width: 22rem; height: auto; fill: none; stroke: var(--edge); stroke-width: 2; stroke-linecap: round }
.bridge text { fill: var(--ink); stroke: none; font: 14px var(--sans); text-anchor: middle }
.bridge .whole { stroke: var(--accent); stroke-width: 3 }
.bridge .idle { stroke-width: 3 }
.bridge .gate { fill: var(--surface); stroke: var(--stop); stroke-width: 2.5 }
.bridge .cut { stroke: var(--stop); stroke-width: 3 }
.bridge .gone { stroke: var(--stop); stroke-width: 2.5; stroke-dasharray: 1 7 }

/* ---- forms ---- */
fieldset { margin: 0 0 var(--s5); padding: 0; border: 0; min-width: 0 }
fieldset > :last-child { margin-bottom: 0 }
legend { margin: 0 0 var(--s3); padding: 0; font: 1.375rem/1.3 var(--serif) }
label { font-weight: 600 }
.step { margin: 0 0 var(--s2); color: var(--soft); font-size: .9375rem }
.hint { margin: 0 } .hint .mono { white-space: nowrap }
.field { margin: 0 0 var(--s5) }
.field label, .field .hint { display: block }
.row { display: flex; flex-wrap: wrap; gap: var(--s3); align-items: end }
.row > .field { flex: 1 1 11rem; margin: 0 }
input:is([type=search], [name=code], [name=email]) { display: block; width: 100%; min-height: 3rem; margin-top: var(--s1); padding: var(--s2) var(--s3);
  border: 1px solid var(--edge); border-radius: var(--r-small); background: var(--surface); color: var(--ink); font: inherit; font-weight: 400 }
input:is([type=search], [name=code], [name=email]):focus-visible { outline-offset: 0; border-color: var(--focus) }
input[aria-invalid] { border: 2px solid var(--stop) }
.error { display: block; margin-top: var(--s1); color: var(--stop); font-weight: 600 }
input:is([type=radio], [type=checkbox]) { flex: none; width: 1.375rem; height: 1.375rem; margin: .1rem 0 0; accent-color: var(--accent) }
.option { display: flex; gap: var(--s3); align-items: flex-start; padding: var(--s3) var(--s4); border: 1px solid var(--line); background: var(--surface); font-weight: 400; cursor: pointer }
.option + .option { margin-top: -1px }
.option:first-of-type { border-top-left-radius: var(--r); border-top-right-radius: var(--r) }
.option:last-of-type { border-bottom-left-radius: var(--r); border-bottom-right-radius: var(--r) }
.option ~ .hint { margin-top: var(--s3) }
.option:hover { background: var(--tint) }
.option:has(:checked) { position: relative; background: var(--tint); border-color: var(--accent) }
.option:has(:focus-visible) { position: relative; outline: .1875rem solid var(--focus); outline-offset: 1px }
.option :focus-visible { outline: none }
.option b, .option small { display: block }
.option > span { flex: 1 }

/* ---- buttons ---- */
form { margin: 0 0 var(--s5) }
.act { display: flex; flex-wrap: wrap; gap: var(--s3) var(--s5); align-items: center; margin: var(--s5) 0 }
.act form { margin: 0 }
.card > form:last-child > .act:last-child { margin-bottom: 0 }
.btn { display: inline-flex; align-items: center; justify-content: center; min-height: 3rem; padding: var(--s2) var(--s5); border: 2px solid var(--accent);
  border-radius: var(--r-small); background: var(--accent); color: var(--on-accent); font: 600 1.0625rem/1.3 var(--sans); text-align: center; text-decoration: none; cursor: pointer }
.btn:hover { background: var(--accent-deep); border-color: var(--accent-deep); color: var(--on-accent) }
.btn.plain { background: transparent; color: var(--accent) }
.btn.plain:hover { background: var(--tint); color: var(--accent-deep) }
.btn.small { min-height: 2.75rem; padding: var(--s1) var(--s3); border-width: 1px; font-size: .9375rem }

/* ---- lists of ways to go: whole rows, links or the buttons of one form ---- */
.ways { margin: 0 0 var(--s5); padding: 0; list-style: none; border: 1px solid var(--line); border-radius: var(--r); background: var(--surface) }
.ways li + li { margin: 0; border-top: 1px solid var(--line) }
.ways :is(a, button) { display: flex; gap: var(--s4); align-items: center; width: 100%; min-height: 4rem; padding: var(--s3) var(--s4); border: 0; border-radius: var(--r); background: none;
  color: var(--accent); font: inherit; line-height: 1.4; text-align: left; text-decoration: none; cursor: pointer }
.ways :is(a, button) > :first-child { flex: 1 }
.ways :is(a, button)::after { content: ""; flex: none; width: .625rem; height: .625rem; margin-right: var(--s1); border: solid; border-width: 2px 2px 0 0; transform: rotate(45deg) }
.ways b { display: block; font-size: 1.125rem; font-weight: 600 }
.ways :is(a, button):hover { background: var(--tint) }
.ways :is(a, button):hover b { text-decoration: underline; text-underline-offset: .18em }
.ways :focus-visible { outline-offset: -.1875rem }
.tag { display: inline-block; padding: 0 .5em; border: 1px solid currentColor; border-radius: 1em; font-size: .875rem; font-weight: 600; line-height: 1.5 }
.tag.ok { color: var(--ok) } .tag.warn { color: var(--warn) }
.star { display: inline; width: 1.05em; height: 1.05em; vertical-align: -.14em; fill: var(--rail); stroke: none }
.things { margin: 0; padding: 0; list-style: none }
.things > li { display: flex; flex-wrap: wrap; gap: var(--s2) var(--s4); align-items: center; padding: var(--s3) 0; margin: 0; border-top: 1px solid var(--line) }
.things > li:first-child { border-top: 0; padding-top: 0 }
.things > li:last-child { padding-bottom: 0 }
.things > li > :first-child { flex: 1 1 9rem; min-width: 0; line-height: 1.45 }
.things form { margin: 0 }
.things small { display: block }
.done { margin: 0 0 var(--s5); padding: 0; list-style: none }
.done li { display: flex; gap: var(--s3) }
.done .i { margin-top: .05rem }
.ok > .i { color: var(--ok) } .warn > .i { color: var(--warn) }

/* ---- notices: a word, a shape and a bar; colour comes last ---- */
.notice { display: flex; gap: var(--s3); margin: 0 0 var(--s5); padding: var(--s4); border: 1px solid var(--line); border-left: .375rem solid var(--accent); border-radius: var(--r-small); background: var(--surface) }
.notice > div { flex: 1; min-width: 0 }
.notice p { margin: 0 0 var(--s2) }
.notice div > :last-child { margin: 0 }
.notice.warn { border-left-color: var(--warn); background: var(--warn-tint) }
.notice.stop { border-left-color: var(--stop) } .notice.stop > .i { color: var(--stop) }

/* ---- the same page in the other language ---- */
.other { margin: var(--s6) 0 0; padding-top: var(--s3); border-top: 1px solid var(--line) }
.other[open] > summary { margin-bottom: var(--s4) }
.other > h2 { margin: 0 0 var(--s3); font-size: 1.75rem; line-height: 1.2 }
.other :is(.card, .notice) > h3:first-child, .other > h3 { font: 1.375rem/1.3 var(--serif) }
summary { width: fit-content; padding: var(--s2) 0; color: var(--accent); cursor: pointer; text-decoration: underline; text-underline-offset: .18em }
summary:hover { color: var(--accent-deep) }

/* ---- foot ---- */
.foot { border-top: 1px solid var(--line); color: var(--soft); font-size: .9375rem }
.foot > div { display: flex; flex-wrap: wrap; gap: 0 var(--s5); align-items: center; max-width: 74rem; margin: 0 auto; padding: var(--s3) var(--s4) var(--s4) }
.foot a { display: inline-flex; align-items: center; min-height: 2.75rem; color: inherit }
.foot p { margin: 0 0 0 auto }

/* ---- narrow to wide ---- */
@media (min-width: 40rem) {
  main { padding-top: var(--s6) }
  .card { padding: var(--s5) }
  .facts.pair { grid-template-columns: minmax(9rem, auto) 1fr }
  .facts.pair dd { grid-column: 2; margin: 0 0 var(--s2) }
  .facts.pair dd + dt + dd { margin-top: var(--s2) }
}
@media (max-width: 40rem) {
  .act .btn, .act form, .row .btn { flex: 1 1 100% }
  .act form .btn { width: 100% }
  .foot p { margin: 0; flex: 1 1 100% }
}

/* ---- forced colours: the person's own palette, ours lends only shapes ---- */
@media (forced-colors: active) {
  :root { --accent: LinkText; --rail: CanvasText; --line: CanvasText; --edge: CanvasText; --ink: CanvasText; --soft: CanvasText; --surface: Canvas; --page: Canvas; --tint: Canvas; --focus: Highlight; --stop: CanvasText; --ok: CanvasText; --warn: CanvasText }
  .btn:not(.plain) { forced-color-adjust: none; background: ButtonText; border-color: ButtonText; color: ButtonFace }
  .tabs [aria-current] { border-color: Highlight }
  .option:has(:checked) { border: 3px solid Highlight }
  .btn:not(.plain):hover { background: Highlight; border-color: Highlight; color: HighlightText }
}

/* ---- print ---- */
@media print {
  :root { color-scheme: light; --page: #fff; --surface: #fff; --ink: #000; --soft: #333; --line: #aaa; --edge: #555; --accent: #000; --tint: #eee; --rail: #000; --ok: #000; --warn: #000; --stop: #000; --warn-tint: #fff }
  @page { margin: 16mm }
  body { font-size: 11pt; background: #fff }
  main { max-width: none; padding: 0 }
  .tools, .tabs, .act, .things form, .skip, .arch, .foot a, .other { display: none }
  header { margin-bottom: 5mm }
  .card, .notice, figure { break-inside: avoid }
  h2, h3 { break-after: avoid }
}
`
