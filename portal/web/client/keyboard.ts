import { all, byId, make } from "./elements.ts"
import { addressWith, filterOf, search } from "./filters.ts"
import { go, isPanelOpen, leavePanel } from "./panel.ts"

const KEYS: readonly (readonly [key: string, does: string])[] = [
  ["/", "Search"],
  ["↓ ↑", "Next and previous site"],
  ["Enter", "Open the site"],
  ["Esc", "Close, or clear the search"],
  ["?", "Show this"],
]

/** No other single letters: who speaks to a computer would press them by accident (WCAG 2.1.4). */
export function startKeyboard(): void {
  const dialog = helpDialog()
  byId("help")?.addEventListener("click", () => dialog.showModal())
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || dialog.open) return
    const field = event.target instanceof HTMLInputElement
    if (event.key === "Escape") escape(event)
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") move(event, field)
    else if (field) return
    else if (event.key === "/" && search()) {
      event.preventDefault()
      search()?.focus()
    } else if (event.key === "?") dialog.showModal()
  })
}

function escape(event: KeyboardEvent): void {
  const input = search()
  if (isPanelOpen()) leavePanel()
  else if (input && event.target === input) {
    input.value = ""
    input.blur()
    go(addressWith(filterOf(), { q: "" }), true)
  }
}

/** From one site that is shown to the next, in the table and from the search. */
function move(event: KeyboardEvent, field: boolean): void {
  const links = all<HTMLAnchorElement>("#rows > tr:not([hidden]) th a")
  const at = links.findIndex((link) => link.closest("tr")?.contains(document.activeElement))
  if (at < 0 && !field && document.activeElement !== byId("sites")) return
  event.preventDefault()
  if (at === 0 && event.key === "ArrowUp") search()?.focus()
  else links[event.key === "ArrowDown" ? Math.min(at + 1, links.length - 1) : Math.max(0, at - 1)]?.focus()
}

function helpDialog(): HTMLDialogElement {
  const title = make("h2", { id: "keys-title", textContent: "Keyboard" })
  const list = make("dl", { className: "rows" })
  for (const [key, does] of KEYS)
    list.append(make("dt", {}, make("kbd", { textContent: key })), make("dd", { textContent: does }))
  const close = make("button", { textContent: "Close" })
  const dialog = make("dialog", { id: "keys" }, make("form", { method: "dialog" }, title, list, close))
  dialog.setAttribute("aria-labelledby", "keys-title")
  document.body.append(dialog)
  return dialog
}
