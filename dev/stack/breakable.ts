import { partsOf, type Parse, Wrong } from "#core/config/settings.ts"
import { CAUSES, isCauseId } from "../../portal/diagnosis/causes/index.ts"
import type { Fault } from "../testing/faults/fault.ts"
import { FAULTS, VARIANTS } from "../testing/faults/index.ts"
import { table } from "./table.ts"

/** In place of a cause: shows all of them. */
export const LIST = "list"

/** What a probe finds is more exact than what Prometheus reports, by which variants are named. */
const PROBED: Readonly<Record<string, string>> = { plain_to_tls: "tls_expected" }

const PRODUCED = [
  ...Object.entries(FAULTS).map(([cause, fault]) => [cause, { ...fault, cause }] as const),
  ...Object.entries(VARIANTS).map(([name, fault]) => [name, { ...fault, cause: PROBED[name] ?? fault.cause }] as const),
]

/** What cannot be shown on one machine and without root, and why. */
const NEVER: readonly (readonly [cause: string, reason: string])[] = [
  ["scrape_overdue", "needs a Prometheus that hangs"],
  ["fds", "needs a Prometheus without free file descriptors, and then no site delivers"],
  ["portal_storage", "needs a full disk, and then no site delivers"],
  ["too_many_targets", "needs a target_limit in a base configuration of your own: a site has one target"],
  ["scrape_cancelled", "lasts for a moment only, while Prometheus reads its configuration"],
  ["series_dropped", "compares with the day before"],
  // the stack has sites that are federated
  ...["push_silent", "push_late", "push_never", "push_waiting", "push_set_aside", "push_not_measured"].map(
    (cause) => [cause, "needs a site that pushes, and the tenancy proxy"] as const,
  ),
]

/** What `--break` takes: how to produce it, and the cause that the portal is to find. */
export const BREAKABLE: ReadonlyMap<string, Fault & { readonly cause: string }> = new Map(
  PRODUCED.filter(([name, { needsNamespace }]) => needsNamespace !== true && NEVER.every(([never]) => never !== name)),
)

const LEFT_OUT: ReadonlyMap<string, string> = new Map([
  ...PRODUCED.filter(([, { needsNamespace }]) => needsNamespace).map(
    ([name]) => [name, "needs root, for a namespace with a name server and routes of its own"] as const,
  ),
  ...NEVER,
])

/** Names of faults, separated by commas, or `list`. */
export const breaking: Parse<readonly string[]> = (text) => {
  const names = partsOf(text)
  if (names.length === 0) return new Wrong(`must be a cause, or ${LIST} to see all`)
  const unknown = names.find((name) => name !== LIST && !BREAKABLE.has(name))
  if (unknown === undefined) return names
  const reason = LEFT_OUT.get(unknown)
  return new Wrong(
    reason === undefined ? `must be a cause that --break ${LIST} shows` : `is not produced: it ${reason}`,
  )
}

/** All that can be broken, in words, and what is left out. */
export function breakableList(): string {
  const rows = [...BREAKABLE].map(([name, { cause, versions }]) => [
    name,
    name === cause && isCauseId(cause) ? CAUSES[cause].title : `another way to ${cause}`,
    versions === undefined ? "" : `with Prometheus ${versions.join(" or ")}`,
  ])
  return `${table(rows)}\nNot produced:\n${table([...LEFT_OUT])}`
}
