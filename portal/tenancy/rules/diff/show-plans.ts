import { styleText } from "node:util"
import { quote } from "../../tenants/quote.ts"
import type { Plan } from "../updater/plan.ts"
import { changedLines, type GroupChange } from "./group-lines.ts"

/** What is shown of a plan. */
export type ShownPlan = Pick<Plan, "ruler" | "tenant" | "creates" | "updates" | "deletes" | "adoptions" | "notDone">

interface Entry extends GroupChange {
  readonly kind: "create" | "update" | "delete" | "adopt" | "not done"
  readonly at: string
  readonly owners: readonly string[]
  readonly message: string
}

export type Counts = Readonly<Record<Entry["kind"], number>>

/** Tenants that are listed by their names. */
const LISTED = 3

/**
 * The plans as text, once for all tenants for which the same changes. `colors`: for a terminal. `grace`: seconds for which
 * a deletion waits.
 */
export function showPlans(
  plans: readonly ShownPlan[],
  colors: boolean,
  grace: number,
): { readonly text: string; readonly counts: Counts } {
  const counts = { create: 0, update: 0, delete: 0, adopt: 0, "not done": 0 }
  const changes = new Map<string, { readonly entry: Entry; readonly ruler: string; readonly tenants: string[] }>()
  for (const plan of plans)
    for (const entry of entriesOf(plan, grace)) {
      counts[entry.kind]++
      const key = JSON.stringify([plan.ruler, entry])
      const known = changes.get(key)
      if (known === undefined) changes.set(key, { entry, ruler: plan.ruler, tenants: [plan.tenant] })
      else known.tenants.push(plan.tenant)
    }
  const sections = Map.groupBy(changes.values(), ({ ruler, tenants }) => `${ruler}, ${showTenants(tenants)}`)
  const paint = (style: "red" | "green" | "cyan" | "bold" | "yellow", line: string): string =>
    colors ? styleText(style, line, { validateStream: false }) : line
  const text = [...sections]
    .map(([heading, found]) => {
      const groups = found.map(({ entry }) => showEntry(entry, paint))
      return `${paint("bold", `ruler ${heading}`)}\n\n${groups.join("\n")}`
    })
    .join("\n")
  return { text, counts }
}

function* entriesOf({ creates, updates, deletes, adoptions, notDone }: ShownPlan, grace: number): Generator<Entry> {
  const at = ({ address }: { readonly address: { readonly namespace: string; readonly name: string } }): string =>
    `${printable(address.namespace)}/${printable(address.name)}`
  const waits = grace > 0 ? `after ${grace}s, unless a resource claims it` : ""
  for (const one of creates)
    yield { kind: "create", at: at(one), owners: [one.owner], before: undefined, after: one.group, message: "" }
  for (const one of updates)
    yield { kind: "update", at: at(one), owners: [one.owner], before: one.before, after: one.group, message: "" }
  for (const one of deletes)
    yield { kind: "delete", at: at(one), owners: one.owners, before: one.before, after: undefined, message: waits }
  const NOTHING = { before: undefined, after: undefined }
  for (const one of adoptions)
    yield { kind: "adopt", at: at(one), owners: [one.owner], ...NOTHING, message: "stands there as it is wanted" }
  for (const one of notDone)
    yield { kind: "not done", at: at(one), owners: [one.owner], ...NOTHING, message: one.message }
}

function showEntry(
  { kind, at, owners, message, before, after }: Entry,
  paint: (style: "red" | "green" | "cyan" | "yellow", line: string) => string,
): string {
  const title = `${kind} ${at}, by ${owners.join(", ")}${message === "" ? "" : `: ${message}`}`
  const lines = changedLines({ before, after }).map((line) => {
    if (line.startsWith("@@")) return paint("cyan", line)
    return line.startsWith("+") ? paint("green", line) : line.startsWith("-") ? paint("red", line) : line
  })
  return [kind === "not done" ? paint("yellow", title) : title, ...lines, ""].join("\n")
}

function showTenants(tenants: readonly string[]): string {
  const [first = "", ...others] = tenants.toSorted()
  if (others.length === 0) return `tenant ${first}`
  if (others.length < LISTED) return `tenants ${[first, ...others.slice(0, -1)].join(", ")} and ${others.at(-1)}`
  return `tenants ${[first, ...others.slice(0, LISTED - 1)].join(", ")} and ${others.length - LISTED + 1} more`
}

/** As it is where that can be read as nothing else. */
const printable = (name: string): string => (/^[\w.:-]+$/.test(name) ? name : quote(name))

/** `invalid`: resources with groups that are. */
export function showCounts(counts: Counts, invalid: number): string {
  const words = {
    ...{ create: "to create", update: "to update", delete: "to delete", adopt: "to adopt" },
    "not done": "not possible",
  }
  const shown = Object.entries(counts).flatMap(([kind, count]) =>
    count === 0 ? [] : [`${count} ${words[kind as Entry["kind"]]}`],
  )
  const groups = shown.length === 0 ? "nothing to do" : `groups: ${shown.join(", ")}`
  return invalid === 0 ? groups : `${groups}; resources with invalid groups: ${invalid}`
}
