import { byId } from "./elements.ts"

const KEPT_THEME = "fedstack.theme"

/** Light or dark as the system has it, until a reader chooses. */
export function startTheme(): void {
  const root = document.documentElement
  const kept = localStorage.getItem(KEPT_THEME)
  if (kept === "light" || kept === "dark") root.dataset.theme = kept
  byId("theme")?.addEventListener("click", () => {
    const isDark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches
    root.dataset.theme = isDark ? "light" : "dark"
    localStorage.setItem(KEPT_THEME, root.dataset.theme)
  })
}
