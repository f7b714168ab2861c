import { byId } from "./elements.ts"
import { refreshSite } from "./panel.ts"

/** "Check now" and the buttons that copy. They stay in their place, so one listener serves all pages and panels. */
export function startActions(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target
    if (!(form instanceof HTMLFormElement) || !form.dataset.check) return
    event.preventDefault()
    void check(form, form.dataset.check)
  })
  document.addEventListener("click", ({ target }) => {
    const button = target instanceof Element ? target.closest<HTMLButtonElement>("button[data-copy]") : null
    const text = button && byId(button.dataset.copy ?? "")
    if (button && text) void copy(button, text)
  })
}

async function check(form: HTMLFormElement, address: string): Promise<void> {
  const [button, status] = [form.querySelector("button"), form.querySelector("[role=status]")]
  if (!button || !status || button.ariaDisabled === "true") return
  // not `disabled`, which would take the focus away
  button.ariaDisabled = "true"
  status.textContent = "Checking…"
  const problem = await post(address)
  button.ariaDisabled = null
  await refreshSite()
  status.textContent = problem ?? "Checked."
}

/** Why it was not checked; undefined when it was. */
async function post(address: string): Promise<string | undefined> {
  try {
    const response = await fetch(address, { method: "POST", redirect: "manual" })
    if (response.ok) return undefined
    const { error } = (await response.json()) as { error?: { message?: string } }
    return error?.message ?? "It could not be checked."
  } catch {
    return "It could not be checked: the portal gave no response."
  }
}

async function copy(button: HTMLButtonElement, text: HTMLElement): Promise<void> {
  const label = button.textContent
  button.textContent = (await toClipboard(text)) ? "Copied" : "Press Ctrl+C"
  setTimeout(() => void (button.textContent = label), 2000)
}

/** Pages of plain HTTP have no clipboard: there the text is marked, and copied by the older method where it works. */
async function toClipboard(text: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text.textContent ?? "")
    return true
  } catch {
    getSelection()?.selectAllChildren(text)
    return document.execCommand("copy")
  }
}
