import type { Overview } from "../status/overview.ts"
import { EVERYTHING } from "./filter.ts"
import { headline } from "./headline.ts"
import { titleOf } from "./layout.ts"
import type { SummaryView } from "./live/changes.ts"
import { reasons, stateChips, summary } from "./page.ts"

/** What an open page shows above its table. Chips are those of no filter: a browser marks what it has chosen itself. */
export function liveSummary(overview: Overview, now: Date): SummaryView {
  const { title, mood } = headline(overview)
  return {
    title: titleOf(title),
    icon: mood,
    parts: {
      summary: summary(overview, now).text,
      chips: stateChips(overview.sites, EVERYTHING).text,
      reasons: reasons(overview.sites, EVERYTHING).text,
    },
  }
}
