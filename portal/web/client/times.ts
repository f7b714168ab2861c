import { span } from "../../diagnosis/words.ts"
import { all } from "./elements.ts"

let ahead = 0

/** The portal's clock counts: that of a reader's machine may be wrong. */
export const setClock = (portal: number): void => void (ahead = portal - Date.now())

export const now = (): number => Date.now() + ahead

/** Counts relative times on, as the portal writes them. */
export function tick(): void {
  if (document.hidden) return
  for (const time of all<HTMLTimeElement>("time[data-as]")) {
    const text = span((now() - Date.parse(time.dateTime)) / 1000) + (time.dataset.as === "ago" ? " ago" : "")
    if (time.textContent !== text) time.textContent = text
  }
}
