import type { State } from "../status/overview.ts"
import { type Html, markup } from "./html.ts"

/** A shape for each state, so that states differ without colours. */
const SHAPES: Readonly<Record<State, Html>> = {
  down: markup`<circle cx="8" cy="8" r="7" fill="currentColor"/><path class="cross" d="m5.4 5.4 5.2 5.2m0-5.2-5.2 5.2" stroke-width="1.8" stroke-linecap="round"/>`,
  stale: markup`<g fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round"><circle cx="8" cy="8" r="6.2"/><path d="M8 4.5V8l2.4 1.5"/></g>`,
  attention: markup`<g fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" stroke-linecap="round"><path d="M8 1.7 14.7 13.5H1.3z"/><path d="M8 6.2v3.2m0 2v.1"/></g>`,
  waiting: markup`<circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2.6 2.27"/>`,
  ok: markup`<path d="m3 8.5 3.2 3.2L13 4.9" fill="none" stroke="currentColor" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round"/>`,
  paused: markup`<path d="M5.6 3.6v8.8m4.8-8.8v8.8" stroke="currentColor" stroke-width="2" stroke-linecap="round"/>`,
  unknown: markup`<g fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round"><path d="M5.4 6a2.7 2.7 0 1 1 3.7 2.5c-.8.3-1.1.8-1.1 1.6"/><path d="M8 13v.1"/></g>`,
}

/** All shapes, once in a document. */
export const sprite: Html = markup`<svg class="sprite" width="0" height="0" aria-hidden="true">
${Object.entries(SHAPES).map(([state, shape]) => markup`<symbol id="i-${state}" viewBox="0 0 16 16">${shape}</symbol>`)}
</svg>`

/** Says nothing to a screen reader: a word stands beside it. */
export const icon = (state: State): Html => markup`<svg class="icon" aria-hidden="true"><use href="#i-${state}"/></svg>`
