import { startActions } from "./actions.ts"
import { apply } from "./changes.ts"
import { connect } from "./connection.ts"
import { all, byId, make } from "./elements.ts"
import { applyFilter, startFilters } from "./filters.ts"
import { keepSort, sortRows, startOrder } from "./order.ts"
import { go, refreshSite, showCopyButtons, shownSite, startPanel } from "./panel.ts"
import { startKeyboard } from "./keyboard.ts"
import { showStanding } from "./standing.ts"
import type { Report } from "./stream.ts"
import { startTheme } from "./theme.ts"
import { setClock, tick } from "./times.ts"

/** All that the page does by itself; without it everything but what is live works. */
function start(): void {
  const root = document.documentElement
  root.classList.add("js")
  startTheme()
  for (const hidden of all("#theme, #help, #search kbd")) hidden.hidden = false
  byId("sites")?.before(make("button", { id: "again", type: "button", hidden: true }))
  startOrder()
  startFilters((address, replace) => {
    const before = new URLSearchParams(location.search).get("sort")
    go(address, replace)
    if (new URLSearchParams(location.search).get("sort") !== before) keepSort()
  })
  startPanel()
  startActions()
  startKeyboard()
  showCopyButtons()
  applyFilter()
  sortRows()
  follow(root.dataset.version)
  setInterval(tick, 1000)
}

/** Keeps the page as it would be if it were requested now. */
function follow(version: string | undefined): void {
  if (version === undefined) return
  let shown = version
  let wasLost = false
  connect(
    () => shown,
    (report: Report) => {
      showStanding(report.kind === "lost" || report.kind === "signed_out" ? report.kind : "live")
      if (report.kind === "beat") setClock(report.now)
      wasLost ||= report.kind === "lost"
      if (report.kind !== "changes") return
      const { changes } = report
      shown = changes.id
      apply(changes)
      const open = shownSite()
      if (open !== undefined && (wasLost || changes.all || changes.details.includes(open))) void refreshSite()
      wasLost = false
    },
  )
}

if ("document" in globalThis) start()
