/**
 * Names of the DOM that the types of Playwright and axe mention. Empty, in place of TypeScript's own: code of the server cannot use
 * what only a browser has.
 */
interface Node {}
interface HTMLElement {}
interface SVGElement {}
interface HTMLElementTagNameMap {}
interface Element {}
interface NodeList {}
interface DOMRect {}
interface Document {}
interface Window {}
