import { Gauge, type Registry } from "prom-client"
import { ENTRIES, isCauseId } from "../diagnosis/causes/index.ts"
import { find } from "../diagnosis/find.ts"

/**
 * What alerts and dashboards write beside a cause: its words, from the table of causes alone, so that nothing of a site gets
 * into a label; and where the page is.
 */
export function infoMetrics(registry: Registry, externalUrl: URL | undefined): void {
  const info = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Gauge({ name, help, labelNames, registers: [registry] })
  const causes = info("fedstack_portal_cause_info", "1, with the words for each cause, without details.", [
    "cause",
    "sentence",
    "todo",
  ])
  const shared = info(
    "fedstack_portal_shared_cause_info",
    "1, for each cause that is probably the portal's where many sites have it: what is wrong then, and what to do.",
    ["cause", "sentence", "todo"],
  )
  for (const { id, atPortal } of ENTRIES) {
    if (!isCauseId(id)) continue
    const { reason, todo } = find(id)
    causes.set({ cause: id, sentence: reason, todo }, 1)
    if (atPortal !== undefined) shared.set({ cause: id, ...atPortal }, 1)
  }
  if (externalUrl !== undefined) {
    const portal = info("fedstack_portal_info", "1, with the URL by which users reach the page.", ["external_url"])
    portal.set({ external_url: externalUrl.href.replace(/\/+$/, "") }, 1)
  }
}
