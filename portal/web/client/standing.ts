import { shortTime } from "../../diagnosis/words.ts"
import { byId, make } from "./elements.ts"
import { now } from "./times.ts"

let lostAt: Date | undefined

/** Shows whether what is on the page is of now: a page that is not live must not look as if it were. */
export function showStanding(standing: "live" | "lost" | "signed_out"): void {
  const live = byId("live")
  if (live) {
    live.hidden = false
    live.dataset.standing = standing
    live.textContent = { live: "Live", lost: "Not live", signed_out: "Signed out" }[standing]
  }
  const wasLive = lostAt === undefined
  lostAt = standing === "live" ? undefined : (lostAt ?? new Date(now()))
  const banner = byId("lost") ?? addBanner()
  banner.hidden = standing === "live"
  document.documentElement.dataset.standing = standing
  if (banner.hidden || !lostAt) return
  if (wasLive) showInTab()
  if (standing === "lost") banner.replaceChildren(make("p", {}, `Not live since ${shortTime(lostAt)} UTC. Retrying.`))
  else
    banner.replaceChildren(
      make("p", {}, "Signed out. ", make("a", { href: location.href, textContent: "Reload" }), "."),
    )
}

/** A tab in the background, too, does not go on saying that all is well. The next changes bring its title back. */
function showInTab(): void {
  document.title = `Not live: ${document.title}`
  const icon = byId("icon")
  if (icon instanceof HTMLLinkElement && icon.dataset.attention && icon.getAttribute("href") === icon.dataset.ok)
    icon.href = icon.dataset.attention
}

function addBanner(): HTMLElement {
  const banner = make("div", { id: "lost", className: "banner attention", hidden: true })
  banner.setAttribute("role", "status")
  byId("main")?.prepend(banner)
  return banner
}
