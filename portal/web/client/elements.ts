/** The elements of the page that the script finds, and how it makes and changes them. */

export const byId = (id: string): HTMLElement | null => document.getElementById(id)

export const all = <E extends HTMLElement>(selector: string, within: ParentNode = document): E[] => [
  ...within.querySelectorAll<E>(selector),
]

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]>,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties)
  element.append(...children)
  return element
}

/** Of HTML that the portal rendered: it escaped all values, and scripts in it would not run. */
export function parse(html: string): Element | null {
  const template = document.createElement("template")
  template.innerHTML = html
  return template.content.firstElementChild
}

/** What the reader or this script changed, and the server knows nothing of. */
const OURS = ["class", "open"]

/** Makes `old` look like `fresh` and keeps the elements that stay, with focus, selection and what was opened. */
export function morph(old: Element, fresh: Element): void {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !OURS.includes(name)) old.removeAttribute(name)
  }
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value)
  const [before, after] = [[...old.childNodes], [...fresh.childNodes]]
  if (before.length !== after.length || before.some((node, index) => node.nodeName !== after[index]?.nodeName)) {
    old.replaceChildren(...after)
    return
  }
  for (const [index, node] of before.entries()) {
    const next = after[index]
    if (node instanceof Element && next instanceof Element) morph(node, next)
    else if (next && node.nodeValue !== next.nodeValue) node.nodeValue = next.nodeValue
  }
}

/** Like morph(), for what is inside. */
export function show(element: Element | null, html: string): void {
  const fresh = parse(`<div>${html}</div>`)
  if (!element || !fresh) return
  for (const { name, value } of element.attributes) fresh.setAttribute(name, value)
  morph(element, fresh)
}
